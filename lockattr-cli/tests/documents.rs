//! Help, completions and manual pages.

mod support;

use support::{refused, said};

#[test]
fn help_documents_the_exit_codes() {
    let help = said(&["--help"]);
    for line in ["0  done", "1  not acquired in time", "2  wrong usage", "3  denied", "126", "127"]
    {
        assert!(help.contains(line), "{help}");
    }
    assert!(!help.contains("__keep"), "{help}");
}

#[test]
fn help_documents_the_json() {
    for command in ["list", "state", "trace"] {
        let help = said(&[command, "--help"]);
        assert!(
            help.contains(r#"{"name","backend","locked","holder","last","waiters"}"#),
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
    refused(&["man", "__keep"], 2);
}
