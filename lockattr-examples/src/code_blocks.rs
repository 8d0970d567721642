//! The code blocks of the READMEs, the guide and the docs of the attribute, run as tests.

macro_rules! run {
    ($($page:ident: $path:literal,)*) => {
        $(
            #[cfg(doctest)]
            #[doc = include_str!(concat!("../../", $path))]
            mod $page {}
        )*

        /// Every page that is run, as a path in the repository.
        #[cfg(test)]
        pub(crate) const PAGES: &[&str] = &[$($path),*];
    };
}

run! {
    readme: "README.md",
    readme_of_hal: "lockattr-hal/README.md",
    attribute: "lockattr-macros/src/attribute.md",
    first_lock: "docs/guide/src/first-lock.md",
    choosing: "docs/guide/src/choosing.md",
    names: "docs/guide/src/names.md",
    devices: "docs/guide/src/devices.md",
    errors: "docs/guide/src/errors.md",
    holders: "docs/guide/src/holders.md",
    in_tasks: "docs/guide/src/async.md",
    nesting: "docs/guide/src/nesting.md",
    crashes: "docs/guide/src/crashes.md",
    drivers: "docs/guide/src/drivers.md",
    testing: "docs/guide/src/testing.md",
    deploying: "docs/guide/src/deploying.md",
    from_k3portlock: "docs/guide/src/migrating/k3portlock.md",
    from_resourcelock: "docs/guide/src/migrating/resourcelock.md",
    from_flock: "docs/guide/src/migrating/flock.md",
    from_crates: "docs/guide/src/migrating/crates.md",
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    /// A page that is not in the list has blocks that nobody runs.
    #[test]
    fn every_page_with_rust_in_it_is_run() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        for folder in ["docs/guide/src", "docs/guide/src/migrating"] {
            for entry in fs::read_dir(root.join(folder)).unwrap() {
                let file = entry.unwrap().path();
                let is_page = file.extension().is_some_and(|it| it == "md");
                if is_page && fs::read_to_string(&file).unwrap().contains("```rust") {
                    let page = file.strip_prefix(root).unwrap().to_str().unwrap();
                    assert!(super::PAGES.contains(&page), "{page} is not in code_blocks.rs");
                }
            }
        }
    }
}
