//! `lockattr watch`.

mod support;

use support::{eventually, said, Name, Running, Terminal};

/// All that is on the screen. (Only what differs is drawn, unless all is asked for by Ctrl-L.)
fn screen(watch: &mut Terminal) -> String {
    watch.press("\x0c");
    watch.until("\u{1b}[2J");
    watch.until("scroll")
}

#[test]
fn it_shows_changes_in_place_until_q() {
    let name = Name::new("changes");
    let mut watch = Terminal::start(&["watch", "-u", "20ms", "--held"]);
    watch.until("q quit");
    assert!(!screen(&mut watch).contains(&*name));
    let holder = Running::holder(&name, "port");
    eventually("it is shown", || screen(&mut watch).contains(&*name));
    assert!(holder.end().success());
    eventually("it has gone", || !screen(&mut watch).contains(&*name));
    watch.press("q");
    watch.until("\x1b[?1049l"); // the screen as it was before
    assert_eq!(watch.end().code(), Some(0));
}

#[test]
fn keys_filter_and_sort() {
    let names = [Name::new("wanted"), Name::new("other")];
    let _holders = names.each_ref().map(|name| Running::holder(name, "port"));
    let mut watch = Terminal::start(&["watch", "-u", "1h", "--held"]);
    let shown = watch.until("q quit");
    assert!(names.iter().all(|name| shown.contains(&**name)) && shown.contains("by state"));
    watch.press("s");
    eventually("it is sorted", || screen(&mut watch).contains("by name"));
    watch.press(&format!("/{}\r", &*names[0]));
    eventually("it is filtered", || {
        let shown = screen(&mut watch);
        shown.contains("1 locks with") && !shown.contains(&*names[1])
    });
    watch.press("q");
    watch.until("\x1b[?1049l");
    assert_eq!(watch.end().code(), Some(0));
}

#[test]
fn ctrl_c_ends_it_and_restores_the_terminal() {
    let mut watch = Terminal::start(&["watch", "--held"]);
    watch.until("q quit");
    watch.press("\x03");
    watch.until("\x1b[?1049l");
    assert_eq!(watch.end().code(), Some(0));
}

#[test]
fn where_there_is_no_terminal_it_is_a_list() {
    let name = Name::new("no-terminal");
    let _holder = Running::holder(&name, "port");
    let shown = said(&["watch", "--held"]);
    assert!(shown.contains(&*name) && !shown.contains('\u{1b}'), "{shown}");
}

#[test]
fn it_scrolls_sideways() {
    let name = Name::longest();
    let long = format!("begin-{}-end", "x".repeat(150));
    let mut run = Running::start(&["run", &name, "-m", &long, "-c", "echo holding; exec cat"]);
    assert_eq!(run.hear(), "holding");
    let mut watch = Terminal::start(&["watch", "-u", "1h", "--held", &name]);
    let shown = watch.until("q quit");
    assert!(shown.contains("begin-x") && !shown.contains("x-end"), "{shown}");
    for _ in 0..20 {
        watch.press("\x1b[C");
    }
    eventually("the end is seen", || screen(&mut watch).contains("x-end"));
    for _ in 0..20 {
        watch.press("\x1b[D");
    }
    eventually("the name is seen", || screen(&mut watch).contains("cli-longest"));
    watch.press("q");
    watch.until("\x1b[?1049l");
    assert_eq!(watch.end().code(), Some(0));
}
