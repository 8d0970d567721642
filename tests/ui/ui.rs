//! What rustc says about mistakes, in `tests/ui/mistakes`: those that the attribute finds are together by what they are about;
//! of those that rustc finds each has a file, as it stops at the first kind of them.
//!
//! After a change of a message, or of rustc: `TRYBUILD=overwrite cargo test -p lockattr-ui`, and read what changed.

#[test]
fn mistakes_are_explained_at_the_token_at_fault() {
    let cases = trybuild::TestCases::new();
    // Without the feature (`cargo test -p lockattr-ui`) there is one mistake more, and what else is said is the same.
    if cfg!(feature = "async") {
        cases.compile_fail("mistakes/*.rs");
        cases.compile_fail("async/*.rs");
    } else {
        cases.compile_fail("no_async/*.rs");
    }
    cases.pass("pass/*.rs");
}
