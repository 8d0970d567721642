//! What a wrong command line may have meant.

use std::env;
use std::io::Write as _;

use clap::Error;

use crate::text::Escaped;

/// Says what is wrong, and ends the program. (Also the help ends here, which is no error.)
pub(crate) fn exit(error: &Error) -> ! {
    if error.use_stderr() {
        let arguments: Vec<_> =
            env::args_os().skip(1).map(|it| it.to_string_lossy().into_owned()).collect();
        if let Some(tip) = of(&arguments) {
            let _ = error.print();
            let _ = writeln!(std::io::stderr(), "\n  {tip}");
            std::process::exit(error.exit_code());
        }
    }
    error.exit()
}

/// For the form of flock(1), which needs no `--`.
fn of(arguments: &[String]) -> Option<String> {
    let [run, rest @ ..] = arguments else { return None };
    if run != "run" || rest.iter().any(|argument| argument == "--") {
        return None;
    }
    match rest {
        [name, command @ ..] if !name.starts_with('-') => Some(dashes(name, command)),
        _ => Some(dashes("NAME", &[])),
    }
}

/// Where the `--` belongs.
pub(crate) fn dashes(name: &str, command: &[String]) -> String {
    let command = if command.is_empty() { "COMMAND".to_owned() } else { command.join(" ") };
    format!("tip: put `--` before the command: `lockattr run {name} -- {}`", Escaped(&command))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tip(line: &str) -> Option<String> {
        of(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn a_forgotten_double_dash_is_shown_where_it_belongs() {
        assert!(tip("run n ls -l").unwrap().ends_with("`lockattr run n -- ls -l`"));
        assert!(tip("run -x n ls").unwrap().ends_with("`lockattr run NAME -- COMMAND`"));
        assert_eq!(tip("run n -- ls"), None);
        assert_eq!(tip("list -z"), None);
    }
}
