//! A Rust source as the layering test looks at it: its tokens, without comments, strings and tests.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use std::collections::BTreeSet;
use std::str::FromStr;

/// One file.
pub(crate) struct Source {
    tokens: Vec<TokenTree>,
    paths: BTreeSet<String>,
}

impl Source {
    /// Reads a file's text; says why if it is not Rust.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let tokens = TokenStream::from_str(text).map_err(|error| error.to_string())?;
        let tokens = without_tests(tokens);
        let mut paths = BTreeSet::new();
        collect_paths("", &tokens, &mut paths);
        Ok(Self { tokens, paths })
    }

    /// Whether some path written here has `path`'s segments, one after another.
    pub(crate) fn names(&self, path: &str) -> bool {
        let wanted = format!("::{path}::");
        self.paths.iter().any(|written| format!("::{written}::").contains(&wanted))
    }

    /// The bodies of the functions of this name.
    pub(crate) fn bodies_of(&self, function: &str) -> Vec<String> {
        let mut bodies = Vec::new();
        collect_bodies(function, &self.tokens, &mut bodies);
        bodies
    }
}

/// Drops what stands behind `#[cfg(test)]`, up to the end of its item.
fn without_tests(stream: TokenStream) -> Vec<TokenTree> {
    let mut kept: Vec<TokenTree> = Vec::new();
    let mut tokens = stream.into_iter();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Group(group) if is_hash(kept.last()) && is_cfg_test(&group) => {
                kept.pop();
                let ends = |token: &TokenTree| match token {
                    TokenTree::Punct(punct) => punct.as_char() == ';',
                    TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
                    _ => false,
                };
                tokens.find(ends);
            }
            TokenTree::Group(group) => {
                let inner = without_tests(group.stream()).into_iter().collect();
                kept.push(Group::new(group.delimiter(), inner).into());
            }
            other => kept.push(other),
        }
    }
    kept
}

fn is_hash(token: Option<&TokenTree>) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == '#')
}

fn is_cfg_test(attribute: &Group) -> bool {
    attribute.delimiter() == Delimiter::Bracket
        && attribute.stream().to_string().replace(' ', "") == "cfg(test)"
}

/// Every path, with the branches of `a::{b, c::d}` written out; `prefix` is what stands before the
/// group that `tokens` came from.
fn collect_paths(prefix: &str, tokens: &[TokenTree], paths: &mut BTreeSet<String>) {
    let mut path = prefix.to_owned();
    let mut colons = 2;
    for token in tokens {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
            TokenTree::Ident(ident) => {
                if colons != 2 {
                    path.clear();
                }
                if !path.is_empty() {
                    path.push_str("::");
                }
                path.push_str(&ident.to_string());
                paths.insert(path.clone());
                colons = 0;
            }
            TokenTree::Group(group) => {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                let is_branch = colons == 2 && group.delimiter() == Delimiter::Brace;
                collect_paths(if is_branch { &path } else { "" }, &inner, paths);
                (path, colons) = (String::new(), 2);
            }
            // A branch is over: the next begins where the group did.
            TokenTree::Punct(punct) if punct.as_char() == ',' => (path, colons) = (prefix.to_owned(), 2),
            _ => (path, colons) = (String::new(), 2),
        }
    }
}

fn collect_bodies(function: &str, tokens: &[TokenTree], bodies: &mut Vec<String>) {
    for (index, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Group(group) => {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                collect_bodies(function, &inner, bodies);
            }
            TokenTree::Ident(ident) if ident == "fn" => {
                let named = matches!(tokens.get(index + 1), Some(TokenTree::Ident(name)) if name == function);
                // Up to the body, or to the semicolon of a declaration without one.
                let end = tokens.iter().skip(index).find(|token| match token {
                    TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
                    TokenTree::Punct(punct) => punct.as_char() == ';',
                    _ => false,
                });
                if let (true, Some(TokenTree::Group(body))) = (named, end) {
                    bodies.push(body.stream().to_string());
                }
            }
            _ => {}
        }
    }
}

#[test]
fn a_path_is_found_however_it_is_written_and_nowhere_else() {
    let source = Source::parse(
        r#"
        use std::{collections::BTreeMap, net::{IpAddr, TcpStream}};
        // std::fs::read is only a comment
        fn f(name: &str) -> Result<usize, String> { g(name, std::thread::current(), "std::env::args") }
        #[cfg(test)]
        mod tests { fn t() { std::fs::read("x"); } }
        impl A { fn is_reproducible(&self) -> bool { false } }
        trait B { fn is_reproducible(&self) -> bool; }
        "#,
    )
    .unwrap();
    assert!(source.names("std::net::TcpStream") && source.names("std::thread") && source.names("TcpStream"));
    assert!(!source.names("std::fs") && !source.names("std::env") && !source.names("std::net::BTreeMap"));
    assert!(!source.names("std::collections::TcpStream"));
    assert_eq!(source.bodies_of("is_reproducible"), ["false"]);
}
