//! What rustc says about mistakes: one file for each, in `tests/ui`.
//!
//! After a change of a message, or of rustc: `TRYBUILD=overwrite cargo test --test ui`, and read what
//! changed.

#[test]
fn mistakes_are_explained_at_the_token_at_fault() {
    let cases = trybuild::TestCases::new();
    // Without the feature (`cargo test --test ui`) there is one mistake more, and what else is said is the same.
    if cfg!(feature = "async") {
        cases.compile_fail("tests/ui/*.rs");
        cases.compile_fail("tests/ui/async/*.rs");
    } else {
        cases.compile_fail("tests/ui/no_async/*.rs");
    }
    cases.pass("tests/ui/pass/*.rs");
}
