//! Where the lock's name comes from.

use super::*;

const I2C_1: &str = "attribute-test/const";

mod elsewhere {
    pub(super) const I2C_2: &str = "attribute-test/const elsewhere";
}

struct Driver;

impl Driver {
    const BUS: &'static str = "attribute-test/associated";

    #[interprocess_lock(Driver::BUS)]
    fn read() -> io::Result<bool> {
        Ok(is_held(Self::BUS))
    }
}

trait Bus {
    const BUS: &'static str;
}

impl Bus for Driver {
    const BUS: &'static str = "attribute-test/trait's";
}

#[test]
fn from_consts() {
    #[interprocess_lock(I2C_1)]
    fn first() -> io::Result<bool> {
        Ok(is_held(I2C_1))
    }
    #[interprocess_lock(elsewhere::I2C_2, timeout = "2s")]
    fn second() -> io::Result<bool> {
        Ok(is_held(elsewhere::I2C_2))
    }
    #[interprocess_lock(<Driver as Bus>::BUS)]
    fn third() -> io::Result<bool> {
        Ok(is_held("attribute-test/trait's"))
    }
    alone();
    assert!(first().unwrap());
    assert!(second().unwrap());
    assert!(third().unwrap());
    assert!(Driver::read().unwrap());
}

#[test]
fn from_macros_that_a_static_takes() {
    macro_rules! bus {
        ($number:literal) => {
            concat!("attribute-test/macro ", $number)
        };
    }
    #[interprocess_lock(concat!("attribute-test/", "concat ", 1))]
    fn concatenated() -> io::Result<bool> {
        Ok(is_held("attribute-test/concat 1"))
    }
    #[interprocess_lock(concat!("attribute-test/", stringify!(word)))]
    fn stringified() -> io::Result<bool> {
        Ok(is_held("attribute-test/word"))
    }
    #[interprocess_lock([concat!("attribute-test/", env!("CARGO_PKG_NAME")), bus!(2)])]
    fn several() -> io::Result<bool> {
        Ok(is_held(concat!("attribute-test/", env!("CARGO_PKG_NAME")))
            && is_held("attribute-test/macro 2"))
    }
    alone();
    assert!(concatenated().unwrap());
    assert!(stringified().unwrap());
    assert!(several().unwrap());
}

/// `macro_rules!` puts groups without delimiters around what it passes on.
mod from_fragments {
    use super::*;

    macro_rules! driver {
        ($type:ty, $name:expr, $timeout:expr, $output:ty, $method:item) => {
            #[interprocess_lock]
            impl $type {
                fn derived(&self) -> $output {
                    Ok(is_held(concat!(module_path!(), "::Driver")))
                }
            }

            impl $type {
                #[interprocess_lock($name, timeout = $timeout)]
                fn named(&self) -> $output {
                    Ok(is_held("attribute-test/fragment"))
                }

                #[interprocess_lock([$name, "attribute-test/fragment's other"])]
                fn listed(&self) -> $output {
                    Ok(is_held("attribute-test/fragment"))
                }

                #[interprocess_lock("attribute-test/fragment item")]
                $method
            }
        };
    }

    macro_rules! whole {
        ($block:item) => {
            #[interprocess_lock("attribute-test/fragment block")]
            $block
        };
    }

    struct Driver;

    driver! { Driver, "attribute-test/fragment", "2s", io::Result<bool>,
    /// An item.
    fn item(&self) -> io::Result<bool> {
        Ok(is_held("attribute-test/fragment item"))
    } }

    whole! { impl Driver {
        fn of_block(&self) -> io::Result<bool> {
            Ok(is_held("attribute-test/fragment block"))
        }
    } }

    #[test]
    fn are_names_types_and_items() {
        alone();
        assert!(Driver.derived().unwrap());
        assert!(Driver.named().unwrap());
        assert!(Driver.listed().unwrap());
        assert!(Driver.item().unwrap());
        assert!(Driver.of_block().unwrap());
    }
}

mod from_consts_of_generic_types {
    use std::marker::PhantomData;

    use super::*;

    struct Port<const N: u8>;

    impl Bus for Port<1> {
        const BUS: &'static str = "attribute-test/generic 1";
    }

    impl Bus for Port<2> {
        const BUS: &'static str = "attribute-test/generic 2";
    }

    struct Generic<I2C>(PhantomData<I2C>);

    impl<I2C: Bus> Generic<I2C> {
        const NAME: &'static str = I2C::BUS;

        #[interprocess_lock(Self::NAME)]
        fn of_self() -> io::Result<bool> {
            Ok(is_held(I2C::BUS))
        }

        #[interprocess_lock(I2C::BUS)]
        fn of_parameter() -> io::Result<bool> {
            Ok(is_held(I2C::BUS))
        }

        #[interprocess_lock(<I2C as Bus>::BUS)]
        fn of_trait() -> io::Result<bool> {
            Ok(is_held(I2C::BUS))
        }

        #[interprocess_lock("{Self::NAME}-{n}")]
        fn captured(n: u8) -> io::Result<bool> {
            Ok(is_held(&format!("{}-{n}", I2C::BUS)))
        }
    }

    #[interprocess_lock(I2C::BUS)]
    impl<I2C: Bus> Generic<I2C> {
        fn of_block(&self) -> io::Result<bool> {
            Ok(is_held(I2C::BUS))
        }
    }

    #[interprocess_lock(Device::BUS)]
    fn of_function<Device: Bus>(_device: Device) -> io::Result<bool> {
        Ok(is_held(Device::BUS))
    }

    #[test]
    fn each_type_has_its_lock() {
        fn check<I2C: Bus>() -> io::Result<bool> {
            Ok(Generic::<I2C>::of_self()?
                && Generic::<I2C>::of_parameter()?
                && Generic::<I2C>::of_trait()?
                && Generic::<I2C>::captured(7)?
                && Generic::<I2C>(PhantomData).of_block()?)
        }
        alone();
        assert!(check::<Port<1>>().unwrap());
        assert!(check::<Port<2>>().unwrap());
        assert!(of_function(Port::<2>).unwrap());
        assert!(!is_held("attribute-test/generic 1"));
    }

    #[test]
    fn a_name_that_breaks_a_rule_is_an_error_when_it_is_used() {
        struct Nameless;
        impl Bus for Nameless {
            const BUS: &'static str = "";
        }
        let error = of_function(Nameless).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }
}

mod from_paths_to_files {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::path::{Path, PathBuf};

    use super::*;

    struct Serial {
        path: PathBuf,
    }

    impl Serial {
        #[interprocess_lock("{self.path}")]
        fn field(&self) -> io::Result<bool> {
            Ok(is_held("/attribute-test/tty"))
        }
    }

    #[interprocess_lock(["{path}", "{other}!"])]
    fn arguments(path: &Path, other: PathBuf) -> io::Result<bool> {
        Ok(is_held("/attribute-test/tty") && is_held(&format!("{}!", other.display())))
    }

    #[test]
    fn are_the_text_that_they_are() {
        alone();
        let path = PathBuf::from("/attribute-test/tty");
        assert!(arguments(&path, path.clone()).unwrap());
        assert!(Serial { path }.field().unwrap());
    }

    #[test]
    fn are_an_error_where_they_are_no_text() {
        let path = Path::new(OsStr::from_bytes(b"/attribute-test/\xff"));
        let error = arguments(path, PathBuf::new()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }
}

#[interprocess_lock]
fn derived() -> io::Result<bool> {
    Ok(is_held(concat!(module_path!(), "::derived")))
}

#[interprocess_lock()]
fn r#match() -> io::Result<bool> {
    Ok(is_held(concat!(module_path!(), "::match")))
}

#[interprocess_lock(timeout = "5s")]
fn derived_with_options() -> io::Result<bool> {
    Ok(is_held(concat!(module_path!(), "::derived_with_options")))
}

#[test]
fn derived_from_the_functions_path() {
    alone();
    assert!(derived().unwrap());
    assert!(r#match().unwrap());
    assert!(derived_with_options().unwrap());
}

#[test]
fn braces_are_doubled() {
    #[interprocess_lock("attribute-test/{{0}}")]
    fn braces() -> io::Result<bool> {
        Ok(is_held("attribute-test/{0}"))
    }
    alone();
    assert!(braces().unwrap());
}

/// `name.rs` and `const_too_long.rs` in `tests/ui/mistakes` have 98 bytes.
#[test]
fn the_attribute_and_the_runtime_have_one_limit() {
    #[rustfmt::skip]
    #[interprocess_lock("attribute-test/limit/67890123456789012345678901234567890123456789012345678901234567890123")]
    fn longest() -> io::Result<bool> {
        Ok(is_held("attribute-test/limit/67890123456789012345678901234567890123456789012345678901234567890123"))
    }
    let longest_name = "n".repeat(97);
    alone();
    assert!(longest().unwrap());
    assert!(Lock::open(Backend::Port, &longest_name).is_ok());
    assert!(matches!(
        Lock::open(Backend::Port, &(longest_name + "n")),
        Err(LockError::InvalidName { .. })
    ));
}

mod from_arguments {
    use super::*;

    struct Bus {
        number: u8,
    }

    struct Driver {
        port: &'static str,
        bus: Bus,
        pair: (u8, (u8, u8)),
        r#type: char,
    }

    impl std::fmt::Display for Driver {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(self.port)
        }
    }

    impl Driver {
        #[interprocess_lock("attribute-test/{self.port}")]
        fn field(&mut self) -> io::Result<bool> {
            self.bus.number += 1;
            Ok(is_held("attribute-test/tty1"))
        }

        #[interprocess_lock("attribute-test/{self.bus.number:03}-{self.pair.1.0}-{self.type}-{n}")]
        fn fields(&self, n: u8) -> io::Result<bool> {
            Ok(is_held(&format!("attribute-test/007-2-x-{n}")))
        }

        #[interprocess_lock("attribute-test/self {self}")]
        fn whole(self) -> io::Result<bool> {
            let this = self;
            Ok(is_held("attribute-test/self tty1") && this.port == "tty1")
        }
    }

    fn driver() -> Driver {
        Driver { port: "tty1", bus: Bus { number: 7 }, pair: (1, (2, 3)), r#type: 'x' }
    }

    #[test]
    fn are_captured_as_format_does_and_fields_too() {
        #[interprocess_lock("attribute-test/{{{bus:02}}}")]
        fn plain(mut bus: u8) -> io::Result<bool> {
            bus += 1;
            Ok(is_held(&format!("attribute-test/{{{:02}}}", bus - 1)))
        }
        #[interprocess_lock("{name}")]
        fn whole(name: String) -> io::Result<bool> {
            // By value, and moved by the body.
            let held = thread::spawn(move || is_held(&name)).join().unwrap();
            Ok(held)
        }
        #[interprocess_lock("attribute-test/{I2C_1:?}")]
        fn of_a_const() -> io::Result<bool> {
            Ok(is_held("attribute-test/\"attribute-test/const\""))
        }
        #[interprocess_lock("attribute-test/{driver.bus.number}")]
        fn generic<T: AsRef<str>>(driver: &Driver, other: T) -> io::Result<bool> {
            Ok(is_held("attribute-test/7") && other.as_ref().is_empty())
        }
        alone();
        assert!(plain(3).unwrap());
        assert!(plain(12).unwrap());
        assert!(whole("attribute-test/whole".to_owned()).unwrap());
        assert!(of_a_const().unwrap());
        assert!(generic(&driver(), "").unwrap());
        assert!(driver().field().unwrap());
        assert!(driver().fields(4).unwrap());
        assert!(driver().whole().unwrap());
        assert!(!is_held("attribute-test/tty1"));
    }

    #[test]
    fn exclude_by_what_they_say() {
        #[interprocess_lock("attribute-test/bus-{bus}", timeout = "0s")]
        fn read(bus: &str) -> Result<(), LockError> {
            assert!(bus != "1", "the body ran");
            Ok(())
        }
        alone();
        while_taken("attribute-test/bus-1", || {
            assert!(read("1").unwrap_err().is_timeout());
            read("2").unwrap();
        });
    }

    #[test]
    fn that_make_no_name_are_an_error_and_the_body_does_not_run() {
        #[interprocess_lock("{name}", timeout = "0s")]
        fn read(name: &str) -> Result<(), LockError> {
            panic!("the body ran with {name}")
        }
        #[interprocess_lock("{name}", or_else = |error| error.lock_name().len())]
        fn length(name: &str) -> usize {
            panic!("the body ran with {name}")
        }
        alone();
        for name in ["", "a\0b", &"n".repeat(98), &"n".repeat(1000)] {
            let error = read(name).unwrap_err();
            assert!(matches!(error, LockError::InvalidName { .. }), "{error}");
        }
        assert_eq!(length(&"n".repeat(98)), 98);
    }
}
