//! Every link in the repository's pages leads somewhere: files, headings, and the tests that show a guarantee.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use pulldown_cmark::{Event, LinkType, Options, Parser, Tag, TagEnd};

/// A link, as a page has it.
struct Link {
    target: String,
    text: String,
    /// Whether all of the text is code.
    is_code: bool,
}

struct Page {
    links: Vec<Link>,
    anchors: HashSet<String>,
}

#[test]
fn every_link_leads_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files: Vec<PathBuf> = [
        "README.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "lockattr-cli/README.md",
        "lockattr-hal/README.md",
    ]
    .map(|file| root.join(file))
    .into();
    find_pages(&root.join("docs"), &mut files);

    let pages: HashMap<PathBuf, Page> =
        files.into_iter().map(|file| (file.clone(), read(&file))).collect();
    let mut broken = Vec::new();
    for (file, page) in &pages {
        for link in &page.links {
            if let Err(what) = check(file, link, &pages) {
                broken.push(format!("{}: {}: {what}", file.display(), link.target));
            }
        }
    }
    broken.sort();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    assert!(pages.values().any(|page| !page.links.is_empty()), "no links were found at all");
}

#[test]
fn every_chapter_is_in_the_summary() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("docs/guide/src");
    let summary: HashSet<PathBuf> =
        read(&root.join("SUMMARY.md")).links.iter().map(|link| root.join(&link.target)).collect();
    let mut files = Vec::new();
    find_pages(&root, &mut files);
    files.retain(|file| !file.ends_with("SUMMARY.md") && !summary.contains(file));
    assert!(files.is_empty(), "not in SUMMARY.md: {files:?}");
}

fn find_pages(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("book") {
            find_pages(&path, found);
        } else if path.extension().is_some_and(|it| it == "md") {
            found.push(path);
        }
    }
}

fn read(file: &Path) -> Page {
    let source =
        fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let mut page = Page { links: Vec::new(), anchors: HashSet::new() };
    let mut link: Option<Link> = None;
    let mut heading: Option<String> = None;
    for event in Parser::new_ext(&source, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Link { link_type: LinkType::Autolink, .. }) => {}
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                link =
                    Some(Link { target: dest_url.to_string(), text: String::new(), is_code: true });
            }
            Event::End(TagEnd::Link | TagEnd::Image) => page.links.extend(link.take()),
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => {
                page.anchors.extend(heading.take().as_deref().map(anchor));
            }
            Event::Text(ref text) | Event::Code(ref text) => {
                if let Some(link) = &mut link {
                    link.text.push_str(text);
                    link.is_code &= matches!(event, Event::Code(_));
                }
                if let Some(heading) = &mut heading {
                    heading.push_str(text);
                }
            }
            Event::Html(html) | Event::InlineHtml(html) => page.links.extend(sources(&html)),
            _ => {}
        }
    }
    page
}

/// The pictures of a piece of HTML.
fn sources(html: &str) -> impl Iterator<Item = Link> + '_ {
    html.split(['"'])
        .scan("", |before, piece| {
            let is_source = before.ends_with("src=") || before.ends_with("srcset=");
            *before = piece;
            Some(is_source.then(|| Link {
                target: piece.into(),
                text: String::new(),
                is_code: false,
            }))
        })
        .flatten()
}

/// A heading's anchor, as forges and mdBook make it.
fn anchor(heading: &str) -> String {
    heading
        .to_lowercase()
        .chars()
        .filter(|it| it.is_alphanumeric() || matches!(it, ' ' | '-' | '_'))
        .map(|it| if it == ' ' { '-' } else { it })
        .collect()
}

fn check(file: &Path, link: &Link, pages: &HashMap<PathBuf, Page>) -> Result<(), &'static str> {
    if link.target.starts_with("https://") {
        return Ok(());
    }
    let (path, fragment) = link.target.split_once('#').unwrap_or((&link.target, ""));
    let target =
        if path.is_empty() { file.to_owned() } else { normal(&file.parent().unwrap().join(path)) };
    if !target.exists() {
        return Err("there is no such file");
    }
    if !fragment.is_empty() && !pages.get(&target).is_some_and(|it| it.anchors.contains(fragment)) {
        return Err("there is no such heading");
    }
    // A guarantee names the test that shows it.
    if link.is_code && target.extension().is_some_and(|it| it == "rs") && !link.text.contains('.') {
        let source = fs::read_to_string(&target).unwrap();
        if !source.contains(&format!("fn {}(", link.text)) {
            return Err("there is no such test");
        }
    }
    Ok(())
}

/// Without `..`.
fn normal(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut normal, component| {
        match component {
            Component::ParentDir => {
                normal.pop();
            }
            other => normal.push(other),
        }
        normal
    })
}
