//! What others are told about the holder.

use super::*;

#[test]
fn is_the_functions_own_place() {
    const LINE: u32 = line!() + 3;
    #[interprocess_lock("attribute-test/call site")]
    #[inline]
    fn observed() -> io::Result<String> {
        Ok(info("attribute-test/call site"))
    }
    alone();
    let expected = format!("{}::observed ({}:{LINE})", module_path!(), file!());
    assert_eq!(observed().unwrap(), expected);
    assert_eq!(observed().unwrap(), expected);
}

#[test]
fn is_the_place_of_the_functions_name_in_what_a_macro_makes() {
    macro_rules! function {
        ($name:ident) => {
            #[interprocess_lock("attribute-test/call site of a macro")]
            fn $name() -> io::Result<String> {
                Ok(info("attribute-test/call site of a macro"))
            }
        };
    }
    const LINE: u32 = line!() + 1;
    function!(observed);
    alone();
    let expected = format!("{}::observed ({}:{LINE})", module_path!(), file!());
    assert_eq!(observed().unwrap(), expected);
}

#[test]
fn is_the_place_of_the_callers_call_under_track_caller() {
    #[track_caller]
    fn between() -> io::Result<String> {
        observed()
    }
    #[track_caller]
    #[interprocess_lock("attribute-test/track_caller")]
    fn observed() -> io::Result<String> {
        Ok(info("attribute-test/track_caller"))
    }
    alone();
    let (seen, line) = (between().unwrap(), line!());
    assert_eq!(seen, format!("{}::observed ({}:{line})", module_path!(), file!()));
}

/// A function that is made `#[track_caller]` has a hidden argument, which C and other crates do not pass.
#[test]
fn is_known_without_another_argument() {
    const LINE: u32 = line!() + 2;
    #[interprocess_lock("attribute-test/extern")]
    extern "C" fn observed() -> io::Result<String> {
        Ok(info("attribute-test/extern"))
    }
    mod elsewhere {
        use super::*;

        #[no_mangle]
        #[interprocess_lock("attribute-test/no_mangle")]
        pub(super) fn lockattr_attribute_test_no_mangle(n: u32) -> io::Result<u32> {
            Ok(n)
        }
    }
    mod here {
        use super::*;

        extern "Rust" {
            pub(super) fn lockattr_attribute_test_no_mangle(n: u32) -> io::Result<u32>;
        }
    }
    alone();
    let expected = format!("{}::observed ({}:{LINE})", module_path!(), file!());
    assert_eq!(observed().unwrap(), expected);
    // SAFETY: it has this signature.
    assert_eq!(unsafe { here::lockattr_attribute_test_no_mangle(7) }.unwrap(), 7);
    assert_eq!(elsewhere::lockattr_attribute_test_no_mangle(8).unwrap(), 8);
}

#[test]
fn is_the_text_given() {
    #[interprocess_lock("attribute-test/info", info = "resets \"bus\" {{1}}")]
    fn observed() -> io::Result<String> {
        Ok(info("attribute-test/info"))
    }
    alone();
    assert_eq!(observed().unwrap(), "resets \"bus\" {1}");
}

#[test]
fn panics_are_at_their_own_place() {
    static SEEN: Mutex<Option<u32>> = Mutex::new(None);
    #[interprocess_lock("attribute-test/info panic")]
    fn panics() -> io::Result<u32> {
        Ok("seven".parse().unwrap()) // LINE
    }
    alone();
    let lines: Vec<_> = include_str!("info.rs").lines().collect();
    let expected = 1 + lines.iter().position(|line| line.ends_with("unwrap()) // LINE")).unwrap();
    let thread = thread::Builder::new().name("panics".to_owned());
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        if thread::current().name() == Some("panics") {
            *SEEN.lock().unwrap() = panic.location().map(panic::Location::line);
        } else {
            usual(panic);
        }
    }));
    thread.spawn(panics).unwrap().join().unwrap_err();
    assert_eq!(*SEEN.lock().unwrap(), u32::try_from(expected).ok());
}
