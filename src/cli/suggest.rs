//! "Did you mean": the nearest of the names that there are, if it is near enough.

/// As many letters of a name lead to it, if they are its beginning.
const BEGINNING: usize = 3;
/// No name is longer, so that a secret in its place costs no time. In characters.
const LONGEST: usize = 32;

/// The name that was most likely meant; the first of those that are equally near. Leading dashes
/// do not count on either side.
pub(super) fn nearest<'a>(
    typed: &str,
    names: impl Iterator<Item = &'a str> + Clone,
) -> Option<&'a str> {
    let typed: Vec<char> =
        typed.trim_start_matches('-').to_lowercase().chars().take(LONGEST + 1).collect();
    if typed.len() < BEGINNING || typed.len() > LONGEST {
        return None;
    }
    let bare = |name: &'a str| name.trim_start_matches('-').chars();
    let near = names.clone().filter_map(|name| {
        let letters: Vec<char> = bare(name).collect();
        let edits = distance(&typed, &letters);
        // One slip in three letters; never so many that nothing of a short name is left.
        (edits <= typed.len().max(letters.len()) / 3 && edits + 1 < letters.len())
            .then_some((edits, name))
    });
    let nearest = near.min_by_key(|(edits, _)| *edits).map(|(_, name)| name);
    nearest.or_else(|| {
        names.into_iter().find(|name| {
            let mut letters = bare(name);
            typed.iter().all(|c| letters.next() == Some(*c))
        })
    })
}

/// How many letters must be put in, left out, changed or swapped with their neighbour to make one
/// word of the other (optimal string alignment).
fn distance(one: &[char], other: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=other.len()).collect();
    for (row, letter) in one.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, wanted) in other.iter().enumerate() {
            let at =
                |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX / 2);
            let mut least = (at(&above, column) + usize::from(letter != wanted))
                .min(at(&above, column + 1) + 1)
                .min(at(&current, column) + 1);
            let swapped = row > 0
                && column > 0
                && one.get(row - 1) == Some(wanted)
                && other.get(column - 1) == Some(letter);
            if swapped {
                least = least.min(at(&before, column - 1) + 1);
            }
            current.push(least);
        }
        before = std::mem::replace(&mut above, current);
    }
    above.last().copied().unwrap_or(one.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cli::flags;

    fn option(typed: &str) -> Option<&'static str> {
        nearest(typed, flags::long_names())
    }

    #[test]
    fn a_slip_leads_to_the_option_that_was_meant() {
        for (typed, meant) in [
            ("--clientid", "--client-id"),
            ("--client_id", "--client-id"),
            ("--clientId", "--client-id"),
            ("--cleint-id", "--client-id"),
            ("--client-ids", "--client-id"),
            ("--client", "--client-id"),
            ("--frce", "--force"),
            ("--froce", "--force"),
            ("--yse", "--yes"),
            ("--jsno", "--json"),
            ("--prettyjson", "--pretty-json"),
            ("--targets", "--targets-file"),
            ("--target-file", "--targets-file"),
            ("--from-tokne", "--from-token"),
            ("--unrevoked", "--unrevoked-to"),
            ("--apikey", "--api-key"),
            ("--api-keyfile", "--api-key-file"),
            ("--dryrun", "--dry-run"),
            ("--time-out", "--timeout"),
            ("--verbos", "--verbose"),
            ("--chanel", "--channel"),
            ("--issued-befor", "--issued-before"),
            ("--ap", ""),
            ("--x", ""),
            ("--", ""),
            ("--bogus", ""),
            ("--token", ""),
            ("--region", "--reason"),
            ("--colour", ""),
            ("--s3cretsecretsecretsecretsecretsecret", ""),
        ] {
            assert_eq!(option(typed).unwrap_or_default(), meant, "{typed}");
        }
    }

    proptest! {
        #[test]
        fn one_slip_in_any_name_leads_back_to_it(n in 0_usize..64, at in 0_usize..64, letter in "[a-z]") {
            let names: Vec<&str> = flags::long_names().filter(|name| name.len() >= 7).collect();
            let name = names[n % names.len()];
            let at = 2 + at % (name.len() - 2);
            let mut longer = name.to_owned();
            longer.insert_str(at, &letter);
            prop_assert!(option(&longer).is_some());
            let shorter = format!("{}{}", &name[..at], &name[at + 1..]);
            prop_assert!(option(&shorter).is_some());
        }

        #[test]
        fn the_distance_is_one_between_neighbours(word in "[a-z]{2,20}", at in 0_usize..20) {
            let word: Vec<char> = word.chars().collect();
            let at = at % (word.len() - 1);
            let mut swapped = word.clone();
            swapped.swap(at, at + 1);
            prop_assert_eq!(distance(&word, &swapped), usize::from(word != swapped));
            prop_assert_eq!(distance(&word, &word[1..]), 1);
            prop_assert_eq!(distance(&[], &word), word.len());
        }

        #[test]
        fn no_text_makes_it_panic(typed in "\\PC{0,50}") {
            let _ = option(&typed);
        }
    }
}
