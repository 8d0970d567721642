//! What rustc says about mistakes: one file for each, in `tests/ui`.
//!
//! After a change of a message, or of rustc: `TRYBUILD=overwrite cargo test --test ui`, and read what
//! changed.

#[test]
fn mistakes_are_explained_at_the_token_at_fault() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*.rs");
    cases.pass("tests/ui/pass/*.rs");
}
