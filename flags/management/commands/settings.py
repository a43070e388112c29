"""Look at the runtime settings and change them."""

import json
import sys
from itertools import groupby
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from flags import changes, console, runtime, values
from flags.models import Change
from flags.runtime import Setting
from flags.values import Value


class Command(console.OperatorCommand):
    """`settings list`, `get`, `set`, `history`, `revert`, `export`, `import`."""

    help = "Look at the runtime settings and change them, without a restart."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the actions."""
        parser.epilog = console.EXIT_CODES
        actions = parser.add_subparsers(dest="action", required=True)

        def action(name: str, words: str) -> CommandParser:
            made: CommandParser = actions.add_parser(
                name, help=words, epilog=console.EXIT_CODES
            )
            return made

        listing = action("list", "all, with what differs from the default")
        listing.add_argument(
            "--changed", action="store_true", help="only those changed from the default"
        )
        console.add_json(listing)
        get = action("get", "print one value")
        get.add_argument("name")
        console.add_json(get)
        setting = action("set", "change one or several, all of them or none")
        setting.add_argument("pairs", nargs="+", metavar="NAME VALUE")
        console.add_reason(setting)
        history = action("history", "who changed what, newest first")
        history.add_argument("name", nargs="?", help="of this setting only")
        history.add_argument("--limit", type=int, default=20, help="default: 20")
        console.add_json(history)
        revert = action("revert", "bring back the value from before a change")
        revert.add_argument("id", type=int, help="its number, as `history` shows")
        console.add_reason(revert)
        export = action("export", "write every value as JSON")
        export.add_argument("--file", type=Path, help="default: print it")
        importing = action("import", "take over the values of an export")
        importing.add_argument("file", help="a file; - reads standard input")
        console.add_reason(importing)

    def do_list(self, *, changed: bool, **options: Any) -> None:
        """Show all, by group."""
        texts = runtime.stored()
        shown = [
            _described(each, texts)
            for each in sorted(runtime.declared(), key=_place_of_group)
        ]
        if changed:
            shown = [each for each in shown if each["is_changed"]]
        if options["json"]:
            self.print_json(shown)
            return
        for group, members in groupby(shown, key=lambda each: each["group"]):
            self.say(str(group))
            for each in members:
                self.say(f"  {_line(each)}")

    def do_get(self, *, name: str, **options: Any) -> None:
        """Print one value, as `set` takes it."""
        described = _described(runtime.find(name), runtime.stored())
        if options["json"]:
            self.print_json(described)
        else:
            self.say(str(described["value"]))

    def do_set(self, *, pairs: list[str], **options: Any) -> None:
        """Change all of these or none."""
        names, given = pairs[::2], pairs[1::2]
        if len(names) != len(given):
            raise CommandError(f"{names[-1]} has no value: expected NAME VALUE pairs.")
        if len(set(names)) != len(names):
            raise CommandError("A setting is named twice: which value is meant?")
        self.change(dict(zip(names, given, strict=True)), options=options)

    def do_history(self, *, name: str | None, limit: int, **options: Any) -> None:
        """Show the newest changes."""
        if limit < 1:
            raise CommandError(f"--limit {limit}: expected 1 or more.")
        rows = Change.objects.order_by("-id")
        if name:
            rows = rows.filter(name=name)
            if not rows.exists():
                runtime.find(name)
        newest = list(rows[: min(limit, sys.maxsize)])
        if options["json"]:
            self.print_json([console.change_as_json(each) for each in newest])
            return
        for each in newest:
            self.say(f"{each.pk:>5}  {console.change_as_words(each)}")

    def do_revert(self, *, id: int, **options: Any) -> None:
        """Undo a change that nobody has changed since."""
        change, wanted, seen = changes.reversal(id)
        self.change(wanted, options=options, seen=seen, reverts=change)

    def do_export(self, *, file: Path | None, **_: Any) -> None:
        """Write every value."""
        document = changes.export()
        if file is None:
            self.print_json(document)
            return
        try:
            file.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        except OSError as error:
            raise CommandError(f"{file} can't be written: {error.strerror}.") from error
        self.say(f"{len(document['settings'])} settings are in {file}.")

    def do_import(self, *, file: str, **options: Any) -> None:
        """Take over the values of an export."""
        self.change(changes.read_export(_document(file)), options=options)


def _document(file: str) -> object:
    """Return the document of a file. Raises: CommandError."""
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text("utf-8")
        return json.loads(text, parse_float=str)
    except OSError as error:
        raise CommandError(f"{file} can't be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise CommandError(f"{file} is no JSON: {error}.") from error


def _place_of_group(setting: Setting[Any]) -> int:
    """Return where a group stands: two apps may declare members of one."""
    groups = [each.group for each in runtime.declared()]
    return groups.index(setting.group)


def _described(setting: Setting[Any], texts: dict[str, str]) -> dict[str, object]:
    """Return all that is known of a setting, its values as `set` takes them."""
    held: Value = setting.held(texts)
    given: Value | None = setting.in_environment()
    return {
        "group": setting.group,
        "name": setting.name,
        "value": values.write(held),
        "unit": setting.unit,
        "default": values.write(setting.default),
        "is_changed": held != setting.default,
        "environment": (
            None if given is None or given == held else values.write(given)
        ),
        "problem": runtime.unusable(texts).get(setting.name),
        "help": setting.help,
    }


def _line(described: dict[str, object]) -> str:
    default = f"{described['default']} {described['unit']}".rstrip()
    notes = [
        f"changed from default {default}" if described["is_changed"] else "default"
    ]
    if described["environment"] is not None:
        notes.append(f"the environment says {described['environment']}")
    if described["problem"]:
        notes.append(f"stored, but can't be used: {described['problem']}")
    value = f"{described['value']} {described['unit']}".rstrip()
    return f"{described['name']} = {value} ({'; '.join(notes)})"
