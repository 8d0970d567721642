//! What rustc says about mistakes: one file for each, in `tests/ui`.
//!
//! After a change of a message, or of rustc: `TRYBUILD=overwrite cargo test --test ui`, and read what
//! changed.

#[test]
fn mistakes_are_explained_at_the_token_at_fault() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*.rs");
    cases.pass("tests/ui/pass/*.rs");
    // Without the feature (`cargo test --test ui`) there is one mistake more.
    if cfg!(feature = "async") {
        cases.compile_fail("tests/ui/async/*.rs");
    } else {
        cases.compile_fail("tests/ui/no_async/*.rs");
    }
}
