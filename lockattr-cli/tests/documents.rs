//! Help, completions and manual pages.

mod support;

use support::{refused, said};

const COMMANDS: [&str; 11] = [
    "list",
    "state",
    "get",
    "unget",
    "run",
    "wait",
    "trace",
    "watch",
    "clean",
    "completions",
    "man",
];

#[test]
fn every_help_and_every_page_documents_the_exit_codes() {
    let asked: Vec<_> =
        COMMANDS.iter().flat_map(|it| [vec![*it, "--help"], vec!["man", *it]]).collect();
    for arguments in asked.into_iter().chain([vec!["--help"], vec!["-h"], vec!["man"]]) {
        let text = said(&arguments).replace('\\', "");
        for line in
            ["0  done", "1  not acquired in time", "2  wrong usage", "3  denied", "126", "127"]
        {
            assert!(text.contains(line), "{arguments:?}: {text}");
        }
    }
}

#[test]
fn no_command_is_hidden() {
    let help = said(&["--help"]);
    let listed: Vec<_> = help
        .lines()
        .skip_while(|line| !line.starts_with("Commands:"))
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    for command in COMMANDS {
        assert!(listed.contains(&command), "{help}");
    }
    assert!(!help.contains("__"), "{help}");
    for hidden in ["__keep", "__exec"] {
        assert!(!said(&["completions", "bash"]).contains(hidden));
        refused(&["man", hidden], 2);
    }
}

#[test]
fn the_synopsis_of_run_shows_names_and_a_command() {
    let page = said(&["man", "run"]).replace('\\', "");
    assert!(page.contains("[OPTIONS] NAME... -- COMMAND..."), "{page}");
    assert!(said(&["run", "--help"]).contains("lockattr run [OPTIONS] NAME... -- COMMAND..."));
}

#[test]
fn all_pages_are_written_into_a_folder() {
    let folder = std::env::temp_dir().join(&*support::Name::new("pages"));
    std::fs::create_dir(&folder).unwrap();
    said(&["man", "--dir", folder.to_str().unwrap()]);
    for command in COMMANDS {
        let page = std::fs::read_to_string(folder.join(format!("lockattr-{command}.1"))).unwrap();
        assert!(page.contains(&format!(".TH lockattr-{command} 1")), "{page}");
    }
    assert!(std::fs::read_to_string(folder.join("lockattr.1")).unwrap().contains(".TH lockattr 1"));
    std::fs::remove_dir_all(&folder).unwrap();
    let complaint = refused(&["man", "--dir", folder.to_str().unwrap()], 3);
    assert!(complaint.contains("cannot write"), "{complaint}");
    refused(&["man", "run", "--dir", "."], 2);
}

#[test]
fn help_documents_the_json() {
    for command in ["list", "state", "trace"] {
        let help = said(&[command, "--help"]);
        assert!(
            help.contains(r#"{"name","backend","locked","holder","last","waiters","device"}"#),
            "{help}"
        );
    }
}

#[test]
fn completions_are_there_for_each_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(said(&["completions", shell]).contains("lockattr"));
    }
    refused(&["completions", "cobol"], 2);
}

#[test]
fn there_is_a_page_for_the_program_and_each_command() {
    assert!(said(&["man"]).contains(".TH lockattr 1"));
    for command in ["list", "state", "get", "unget", "run", "trace"] {
        let page = said(&["man", command]);
        assert!(page.contains(&format!("lockattr\\-{command}")), "{page}");
    }
    refused(&["man", "dance"], 2);
}
