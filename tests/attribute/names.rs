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

/// `tests/ui/name_too_long.rs` and `const_too_long.rs` have 98 bytes.
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
