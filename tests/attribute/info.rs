//! What others are told about the holder.

use super::*;

#[test]
fn is_the_place_of_the_call() {
    #[interprocess_lock("attribute-test/call site")]
    fn observed() -> io::Result<String> {
        Ok(info("attribute-test/call site"))
    }
    alone();
    let (first, line) = (observed().unwrap(), line!());
    assert_eq!(first, format!("{}::observed ({}:{line})", module_path!(), file!()));
    let (second, line) = (observed().unwrap(), line!());
    assert_eq!(second, format!("{}::observed ({}:{line})", module_path!(), file!()));
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

#[test]
fn is_the_definitions_place_where_rust_does_not_know_the_caller() {
    const LINE: u32 = line!() + 1;
    #[interprocess_lock("attribute-test/extern")]
    extern "C" fn observed() -> io::Result<String> {
        Ok(info("attribute-test/extern"))
    }
    alone();
    let expected = format!("{}::observed ({}:{LINE})", module_path!(), file!());
    assert_eq!(observed().unwrap(), expected);
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
fn a_text_leaves_panics_at_their_own_place() {
    static SEEN: Mutex<Option<u32>> = Mutex::new(None);
    #[interprocess_lock("attribute-test/info panic", info = "panics")]
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
