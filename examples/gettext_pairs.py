"""Sentence pairs for a translator from the message catalogues (.mo files) of the programs on this machine: `python gettext_pairs.py de`."""
import argparse
import fnmatch
import gettext
import os
import re
import struct
import sys
import sysconfig
from pathlib import Path

from fastnet.text import write_pairs

ADVICE = "Catalogues come with translated programs; Debian's package iso-codes alone has names of countries and languages in 100 languages."


def locale_folders():
    """Where catalogues are installed: `locale` in the user's, Python's and the system's shared data folders."""
    home = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    system = (os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share").split(":")
    shared = [home, Path(sysconfig.get_path("data")) / "share", Path(sys.base_prefix) / "share", *filter(None, system)]
    return list(dict.fromkeys(Path(root) / name for root in shared for name in ("locale", "locale-langpack")))


def catalogues(language, pattern):
    """The .mo files of one language (`*`: of all) whose program's name matches, in a fixed order."""
    found = [path for folder in locale_folders() for path in folder.glob(f"{language}/LC_MESSAGES/*.mo")]
    return sorted({path.resolve() for path in found if fnmatch.fnmatch(path.stem, pattern)})


def messages(path):
    """(English, translation) of each message in a catalogue; nothing if the file is damaged."""
    try:
        with open(path, "rb") as file:
            table = gettext.GNUTranslations(file)._catalog          # gettext has no public way to list them
    except (OSError, ValueError, LookupError, struct.error):
        return
    for key, translation in table.items():
        english = key[0] if isinstance(key, tuple) else key         # (singular, form): form 0 goes with the singular, mostly
        if isinstance(key, str) or key[1] == 0:
            yield english.rpartition("\x04")[2], translation        # before \x04 stands the context, which is not shown


def clean(text):
    """One line, without the marks that show a keyboard shortcut, as in _Open and &File."""
    return re.sub(r"(?<!\w)[_&](?=\w)", "", " ".join(text.split()))


def is_sentence(english, translation, longest):
    """Whether a pair is language: neither code nor options, of like length, with the same placeholders on both sides."""
    marks = [sorted(re.findall(r"%[-+ #0-9.*$']*[hlqjzt]*[a-zA-Z%]|\{\w*\}|<[^>]*>", text)) for text in (english, translation)]
    letters = sum(c.isalpha() or c == " " for c in english)
    return (english != translation and marks[0] == marks[1] and len(english) > 1 and letters > 0.75 * len(english)
            and max(len(english), len(translation)) <= longest and 0.4 < len(translation) / len(english) < 2.5
            and not re.search(r"(^|\s)--?\w|[/\\]\w+[/\\]|[\x00-\x1f]", english + translation))


def pairs(files, longest):
    """All pairs of the catalogues; of an English text with several translations, the first one."""
    found = {}
    for path in files:
        for english, translation in messages(path):
            english, translation = clean(english), clean(translation)
            if english and translation and is_sentence(english, translation, longest):
                found.setdefault(english, translation)
    return sorted(found.items())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("language", nargs="?", help="code such as de, fr or pt_BR; without it, the languages found are listed")
    parser.add_argument("--out", default="pairs.tsv", help="file to write: English, tab, translation (default: %(default)s)")
    parser.add_argument("--programs", default="*", metavar="PATTERN", help="only catalogues of this name, such as 'iso_*'")
    parser.add_argument("--longest", type=int, default=120, metavar="N", help="most characters in a sentence (default: %(default)s)")
    args = parser.parse_args()

    if args.language is None:
        counts = {}
        for path in catalogues("*", args.programs):
            counts[path.parts[-3]] = counts.get(path.parts[-3], 0) + 1
        for language, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
            print(f"{language:12} {count} catalogues")
        if not counts:
            sys.exit(f"no catalogues found. {ADVICE}")
        return
    files = catalogues(args.language, args.programs)
    found = pairs(files, args.longest)
    if not found:
        sys.exit(f"no sentence pairs found for {args.language} in {len(files)} catalogues. {ADVICE}")
    write_pairs(args.out, found)
    print(f"{len(found)} pairs from {len(files)} catalogues in {args.out}, such as")
    for english, translation in found[::max(1, len(found) // 5)][:5]:
        print(f"  {english}  |  {translation}")


if __name__ == "__main__":
    main()
