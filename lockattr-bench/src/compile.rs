//! What the attribute costs the compiler, and the program.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use lockattr_bench_contender::Result;
use object::{Object, ObjectSection};

use crate::bench::Bench;
use crate::programs;
use crate::stats::Spread;

/// So many functions are annotated.
pub(crate) const FUNCTIONS: usize = 500;

/// What stands on each function, and what that costs or why it was not measured.
pub(crate) type Row = (&'static str, std::result::Result<Cost, String>);

#[derive(Clone, Debug)]
pub(crate) struct Cost {
    /// Milliseconds of a `cargo check` of the functions alone.
    pub(crate) check: Spread,
    /// Bytes of machine code (`.text`) of a release build with one such function: that of the libraries.
    pub(crate) first: f64,
    /// Bytes for each further function.
    pub(crate) each: f64,
}

/// The first is what the others are compared with.
const VARIANTS: [Variant; 5] = [
    Variant { label: "nothing", package: "bare", dependency: "", attribute: "" },
    Variant {
        label: "`#[interprocess_lock(\"…\")]`",
        package: "port",
        dependency: LOCKATTR,
        attribute: "#[lockattr::interprocess_lock(\"bench-NUMBER\")]",
    },
    Variant {
        label: "`#[interprocess_lock(\"…\", backend = \"semaphore\")]`",
        package: "semaphore",
        dependency: LOCKATTR,
        attribute: "#[lockattr::interprocess_lock(\"bench-NUMBER\", backend = \"semaphore\")]",
    },
    Variant {
        label: "`#[interprocess_lock(\"…{argument}\")]`",
        package: "captured",
        dependency: LOCKATTR,
        attribute: "#[lockattr::interprocess_lock(\"bench-NUMBER-{argument}\")]",
    },
    Variant {
        label: "`#[tracing::instrument]`",
        package: "instrument",
        dependency: "tracing = { version = \"0.1\", default-features = false, features = [\"attributes\", \"std\"] }",
        attribute: "#[tracing::instrument]",
    },
];

/// The program that is checked. Those that are built are others, or each check would make them old.
const CHECKED: &str = "checked";

const LOCKATTR: &str = "lockattr = { path = \"ROOT\" }";

struct Variant {
    label: &'static str,
    package: &'static str,
    dependency: &'static str,
    attribute: &'static str,
}

/// Packages whose dependencies are built.
pub(crate) struct Prepared(Vec<(&'static Variant, std::result::Result<Package, String>)>);

/// Builds what is not there yet.
pub(crate) fn prepare() -> Prepared {
    let progress = Bench::progress("packages", VARIANTS.len());
    let make = |variant: &'static Variant| {
        progress.set_message(variant.label);
        let package = Package::make(variant).map_err(|error| error.to_string());
        progress.inc(1);
        (variant, package)
    };
    let packages = VARIANTS.iter().map(make).collect();
    progress.finish_with_message("");
    Prepared(packages)
}

/// Each package is checked again and again, in turns.
pub(crate) fn measure(bench: &Bench, Prepared(mut packages): Prepared) -> Vec<Row> {
    let rounds = bench.choose(3, 7);
    let progress = Bench::progress("compile", rounds);
    for _ in 0..rounds {
        for (variant, package) in &mut packages {
            progress.set_message(variant.label);
            let Ok(it) = package else { continue };
            if let Err(error) = it.check() {
                *package = Err(error.to_string());
            }
        }
        progress.inc(1);
    }
    progress.finish_with_message("");
    packages
        .into_iter()
        .map(|(variant, package)| {
            let cost = package.and_then(|it| {
                let check = Spread::of(it.checks).ok_or("no samples")?;
                Ok(Cost { check, first: it.first, each: it.each })
            });
            (variant.label, cost)
        })
        .collect()
}

struct Package {
    folder: PathBuf,
    checks: Vec<f64>,
    first: f64,
    each: f64,
}

impl Package {
    /// Writes it, builds it for its size, and checks it once, so that its dependencies are ready.
    fn make(variant: &Variant) -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
        let root = root.to_str().ok_or("the path of the project is no UTF-8")?;
        let folder = programs::folder()?.join("compile").join(variant.package);
        fs::create_dir_all(folder.join("src/bin"))?;
        let manifest = format!(
            "[workspace]\n\n[package]\nname = \"{}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[dependencies]\n{}\n",
            variant.package,
            variant.dependency.replace("ROOT", root)
        );
        fs::write(folder.join("Cargo.toml"), manifest)?;
        // The versions that the project uses, so that nothing is looked up.
        fs::copy(Path::new(root).join("Cargo.lock"), folder.join("Cargo.lock"))?;

        let mut package = Self { folder, checks: Vec::new(), first: 0.0, each: 0.0 };
        package.first = package.text(variant, "first", 1)?;
        let all = package.text(variant, "all", FUNCTIONS)?;
        package.each = (all - package.first) / (FUNCTIONS - 1) as f64;
        package.program(variant, CHECKED, FUNCTIONS)?;
        package.cargo(&["check", "--bin", CHECKED])?;
        Ok(package)
    }

    /// Writes a program of so many functions, if it is not there: an old one needs no new build.
    fn program(&self, variant: &Variant, name: &str, count: usize) -> Result<()> {
        let path = self.source(name);
        let source = functions(variant.attribute, count)?;
        if fs::read_to_string(&path).is_ok_and(|old| old == source) {
            return Ok(());
        }
        Ok(fs::write(path, source)?)
    }

    fn source(&self, program: &str) -> PathBuf {
        self.folder.join("src/bin").join(program).with_extension("rs")
    }

    /// The bytes of machine code in a program of so many functions.
    fn text(&self, variant: &Variant, name: &str, count: usize) -> Result<f64> {
        self.program(variant, name, count)?;
        self.cargo(&["build", "--release", "--bin", name])?;
        // All packages have programs of these names. Cargo puts the one it was asked for there, built or not.
        let program = fs::read(self.target().join("release").join(name))?;
        let file = object::File::parse(&*program)?;
        let text = file.section_by_name(".text").ok_or("a program without `.text`")?;
        Ok(text.size() as f64)
    }

    fn check(&mut self) -> Result<()> {
        let source = fs::File::options().append(true).open(self.source(CHECKED))?;
        source.set_modified(SystemTime::now())?;
        let start = Instant::now();
        self.cargo(&["check", "--bin", CHECKED])?;
        self.checks.push(start.elapsed().as_secs_f64() * 1e3);
        Ok(())
    }

    fn cargo(&self, arguments: &[&str]) -> Result<()> {
        let mut command = programs::cargo();
        command.args(arguments).current_dir(&self.folder);
        command.arg("--target-dir").arg(self.target());
        Ok(programs::run(&mut command)?)
    }

    /// One for all of them: they share their dependencies.
    fn target(&self) -> PathBuf {
        self.folder.with_file_name("target")
    }
}

/// A program of so many functions, all of which may be called.
fn functions(attribute: &str, count: usize) -> Result<String> {
    let mut source = String::from(
        "use std::hint::black_box;\nuse std::io;\n\ntype Function = fn(u32) -> io::Result<u32>;\n\n\
         fn main() -> io::Result<()> {\n    for function in black_box(&ALL) {\n        \
         black_box(function(black_box(1))?);\n    }\n    Ok(())\n}\n",
    );
    let mut all = String::new();
    for number in 0..count {
        let attribute = attribute.replace("NUMBER", &number.to_string());
        write!(
            source,
            "\n{attribute}\nfn function_{number}(argument: u32) -> io::Result<u32> {{\n    \
             argument.checked_add({number}).ok_or_else(|| io::Error::other(\"too much\"))\n}}\n"
        )?;
        write!(all, "function_{number}, ")?;
    }
    write!(source, "\nstatic ALL: [Function; {count}] = [{all}];\n")?;
    Ok(source)
}
