//! The shapes of functions in `tests/shapes`, a workspace of its own: there are the macros of others, and the
//! editions.
//!
//! `cargo test --manifest-path tests/shapes/Cargo.toml --workspace --target-dir target/shapes` runs them alone.

use std::collections::BTreeSet;
use std::process::{Command, Output};

fn cargo(arguments: &[&str]) -> Output {
    let root = env!("CARGO_MANIFEST_DIR");
    Command::new(env!("CARGO"))
        .args([arguments[0], "--locked", "--target-dir"])
        .arg(format!("{root}/target/shapes"))
        .args(&arguments[1..])
        .current_dir(format!("{root}/tests/shapes"))
        .env_remove("RUSTFLAGS")
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn they_do_as_without_the_attribute_in_each_edition() {
    let output = cargo(&["test", "--workspace", "--tests"]);
    for entry in std::fs::read_dir("/dev/shm").unwrap().flatten() {
        if entry.file_name().to_string_lossy().contains("shapes-") {
            let _ = std::fs::remove_file(entry.path());
        }
    }
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    let ran = text(&output.stdout).matches("test result: ok. 16 passed").count();
    assert_eq!(ran, 3, "{}", text(&output.stdout));
}

/// Every group of clippy's, and what rustc allows by default.
const LINTS: &[&str] = &[
    "clippy::all",
    "clippy::pedantic",
    "clippy::nursery",
    "clippy::restriction",
    "rust-2018-idioms",
    "rust-2021-compatibility",
    "rust-2024-compatibility",
    "explicit-outlives-requirements",
    "let-underscore-drop",
    "meta-variable-misuse",
    "missing-copy-implementations",
    "missing-debug-implementations",
    "missing-docs",
    "redundant-lifetimes",
    "single-use-lifetimes",
    "trivial-casts",
    "trivial-numeric-casts",
    "unit-bindings",
    "unreachable-pub",
    "unused-import-braces",
    "unused-lifetimes",
    "unused-qualifications",
    "unused-results",
    "variant-size-differences",
];

/// What the lints say of the shapes: a line each.
fn warnings(features: &[&str]) -> BTreeSet<String> {
    let mut arguments = vec!["clippy", "--workspace", "--tests", "--message-format=short"];
    arguments.extend(features);
    arguments.push("--");
    arguments.extend(LINTS.iter().flat_map(|lint| ["-W", lint]));
    // Of a body's last expression it says so at the attribute. `tests/lints.rs` has it, with a `return`.
    arguments.extend(["-A", "clippy::implicit_return"]);
    let output = cargo(&arguments);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let stderr = text(&output.stderr);
    let of_shapes =
        stderr.lines().filter(|line| line.contains("/shapes/") && line.contains(": warning"));
    of_shapes.map(str::to_owned).collect()
}

#[test]
fn no_lint_says_more_of_them_than_without_the_attribute() {
    if !Command::new(env!("CARGO")).args(["clippy", "--version"]).output().unwrap().status.success()
    {
        eprintln!("skipped: clippy is not installed");
        return;
    }
    let without =
        warnings(&["--features", "edition_2018/plain,edition_2021/plain,edition_2024/plain"]);
    let with = warnings(&[]);
    assert!(without.len() > 100, "the lints were on: {without:?}");
    let more: Vec<_> = with.difference(&without).collect();
    assert!(more.is_empty(), "{more:#?}");
}

/// What is said of the only mistake there is in a package if it is built alone. (That it compiles otherwise is seen above,
/// where the whole workspace is built.)
fn mistake(package: &[&str]) -> String {
    let output = cargo(&[&["check", "--package"], package].concat());
    let stderr = text(&output.stderr);
    assert!(!output.status.success(), "{stderr}");
    let is_error =
        |line: &&str| line.starts_with("error") && !line.starts_with("error: could not compile");
    let errors = stderr.lines().filter(is_error).count();
    assert_eq!(errors, 1, "no other error of the mistake: {stderr}");
    stderr
}

#[test]
fn a_renamed_dependency_is_told_what_to_write() {
    let said = mistake(&["renamed", "--features", "as_if_not"]);
    assert!(said.contains("write `#[interprocess_lock(…, crate = hal_lock)]`"), "{said}");
}

/// `lockattr`'s feature is the attribute's.
#[test]
fn without_the_feature_async_it_is_told_at_the_function() {
    let said = mistake(&["no_async"]);
    assert!(
        said.contains("write `lockattr = { version = \"…\", features = [\"async\"] }`"),
        "{said}"
    );
    assert!(said.contains("no_async/lib.rs:6:5\n"), "{said}");
}
