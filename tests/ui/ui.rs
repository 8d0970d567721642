//! What rustc says about mistakes, in `tests/ui/mistakes`: those that the attribute finds are together by what they are about;
//! of those that rustc finds each has a file, as it stops at the first kind of them.
//!
//! After a change of a message, or of rustc: `TRYBUILD=overwrite cargo test -p lockattr-ui`, and read what changed.

#[test]
fn mistakes_are_explained_at_the_token_at_fault() {
    // What trybuild builds, nobody steps through.
    std::env::set_var("CARGO_PROFILE_DEV_DEBUG", "false");
    let cases = trybuild::TestCases::new();
    cases.compile_fail("mistakes/*.rs");
    cases.compile_fail("async/*.rs");
    cases.pass("pass/*.rs");
}
