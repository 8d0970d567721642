//! What was written in the place of a lock's name, and what to write instead.

use quote::ToTokens;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{BinOp, Error, Expr, ExprMacro, Lit, LitStr, Macro, Token};

use crate::name::ACCEPTED;

/// The message about an expression that is no name.
pub(crate) fn of(expr: &Expr) -> Error {
    let message = match several(expr) {
        Some(names) => {
            let names: Vec<_> = names.iter().map(written).collect();
            format!("several locks stand in brackets alone: [{}]", names.join(", "))
        }
        None => match (unquoted(expr), text(expr)) {
            (Some(word), _) => format!("a lock's name stands in quotes: \"{word}\""),
            (None, Some(text)) => format!(
                "a lock's name is made from arguments by what it captures, as in `format!`; \
                 write \"{text}\"",
            ),
            (None, None)
                if matches!(expr, Expr::Call(_) | Expr::MethodCall(_) | Expr::Macro(_)) =>
            {
                format!("nothing is called for a lock's name; {ACCEPTED}")
            }
            (None, None) => ACCEPTED.to_owned(),
        },
    };
    Error::new_spanned(expr, message)
}

/// The message about an expression that is no `info`.
pub(crate) fn of_info(expr: &Expr) -> String {
    let accepted = "`info` is a string literal, which captures as a name does";
    match text(expr) {
        Some(text) => format!("{accepted}; write \"{text}\""),
        None => format!(
            "{accepted}, such as \"reads {{channel}}\"; those who wait for the lock are told it"
        ),
    }
}

/// `("a", "b")`, `&["a", "b"]`, `vec!["a", "b"]`.
fn several(expr: &Expr) -> Option<Punctuated<Expr, Token![,]>> {
    match expr {
        Expr::Tuple(tuple) => Some(tuple.elems.clone()),
        Expr::Array(array) => Some(array.elems.clone()),
        Expr::Reference(reference) => several(&reference.expr),
        Expr::Macro(ExprMacro { mac, .. }) if is_vec(mac) => {
            mac.parse_body_with(Punctuated::parse_terminated).ok()
        }
        _ => None,
    }
}

/// No static can have a `Vec`, and a list of locks is none.
pub(crate) fn is_vec(mac: &Macro) -> bool {
    mac.path.segments.last().is_some_and(|last| last.ident == "vec")
}

/// `format!` makes a `String`, which no static can have; the literal alone captures too.
pub(crate) fn is_format(mac: &Macro) -> bool {
    mac.path
        .segments
        .last()
        .is_some_and(|last| ["format", "format_args"].iter().any(|name| last.ident == name))
}

/// As a person writes it, nearly.
pub(crate) fn written(expr: &Expr) -> String {
    let tokens = expr.to_token_stream().to_string();
    tokens
        .replace(" :: ", "::")
        .replace(" . ", ".")
        .replace(" ,", ",")
        .replace(" !", "!")
        .replace("! (", "!(")
}

/// `i2c-1`, which is a subtraction to Rust.
fn unquoted(expr: &Expr) -> Option<String> {
    let Expr::Binary(binary) = expr else {
        return None;
    };
    let sign = match binary.op {
        BinOp::Sub(_) => "-",
        BinOp::Div(_) => "/",
        _ => return None,
    };
    Some(word(&binary.left)? + sign + &word(&binary.right)?)
}

/// A part of it.
fn word(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Path(path) => path.path.get_ident().map(ToString::to_string),
        Expr::Lit(literal) => match &literal.lit {
            Lit::Int(number) => Some(number.to_string()),
            _ => None,
        },
        expr => unquoted(expr),
    }
}

/// The text with captures that says what `expr` does.
fn text(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Group(group) => text(&group.expr),
        Expr::Paren(paren) => text(&paren.expr),
        Expr::Reference(reference) => text(&reference.expr),
        Expr::Lit(literal) => match &literal.lit {
            Lit::Str(literal) => Some(literal.value()),
            _ => None,
        },
        Expr::Path(path) if path.qself.is_none() => Some(format!("{{{}}}", written(expr))),
        Expr::Field(_) => Some(format!("{{{}}}", place(expr)?)),
        Expr::Binary(sum) if matches!(sum.op, BinOp::Add(_)) => {
            Some(text(&sum.left)? + &text(&sum.right)?)
        }
        // What turns a text into a text.
        Expr::MethodCall(call) if call.args.is_empty() => {
            let same = ["to_string", "to_owned", "as_str", "as_ref", "clone", "into", "display"];
            same.iter().any(|name| call.method == name).then(|| text(&call.receiver))?
        }
        Expr::Macro(ExprMacro { mac, .. }) if is_format(mac) => formatted(mac),
        _ => None,
    }
}

/// `self.a.0`, or `argument`.
fn place(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Path(path) => path.path.get_ident().map(ToString::to_string),
        Expr::Field(field) => {
            Some(format!("{}.{}", place(&field.base)?, field.member.to_token_stream()))
        }
        Expr::Reference(reference) => place(&reference.expr),
        _ => None,
    }
}

/// `format!("i2c-{}", bus)` as `"i2c-{bus}"`.
fn formatted(mac: &Macro) -> Option<String> {
    let parser = |input: ParseStream<'_>| {
        let literal: LitStr = input.parse()?;
        input.parse::<Option<Token![,]>>()?;
        Ok((literal, Punctuated::<Expr, Token![,]>::parse_terminated(input)?))
    };
    let (literal, values) = parser.parse2(mac.tokens.clone()).ok()?;
    let literal = literal.value();
    let mut parts = literal.split("{}");
    let mut text = parts.next()?.to_owned();
    let mut values = values.iter();
    for part in parts {
        text.extend(["{", &place(values.next()?)?, "}", part]);
    }
    values.next().is_none().then_some(text)
}
