#!/usr/bin/env python3
"""Scores Picket's answers against pairs of a query and its printed answer: the documentation's
tables, and the tests of another KQL engine.

usage: kql_pairs.py PAIRS.jsonl ANSWERS.jsonl [--known FILE]

PAIRS: kql-conformance.jsonl (Markdown tables) or kusto-loco.jsonl (texts that its tests expect).
ANSWERS: what picket-kql-answers prints for it. A printed answer has lost types and digits: numbers
agree within the digits that are printed, times and dynamics by what they mean, text by its letters,
rows as a set. What Picket refuses as not supported is counted apart. FILE names the pairs whose disagreement is explained: "CORPUS NAME reason" a line, NAME-* for a family;
a pair that agrees after all is an error.
"""
import argparse
import json
import re
import sys

UNSTABLE = re.compile(r"\b(rand|now|ago|new_guid|cursor_\w+|ingestion_time|sample|take_any|anyif"
                      r"|sample-distinct|current_\w+)\b", re.I)
EMPTY = {"", "null", "(null)", "<null>", "dynamic(null)"}


def number(text):
    text = text.replace(",", "").strip()
    try:
        return float(text)
    except ValueError:
        return {"∞": float("inf"), "-∞": float("-inf"), "inf": float("inf")}.get(text.lower())


def digits(text):
    """Half of the last printed digit's place."""
    m = re.fullmatch(r"[-+]?[\d,]*\.?(\d*)(?:[eE]([-+]?\d+))?", text.strip())
    if not m:
        return 0.0
    return 0.5000001 * 10.0 ** (int(m[2] or 0) - len(m[1]))


def moment(text):
    """A printed time as its parts; several styles are in use."""
    text = str(text).strip().replace("T", " ").rstrip("Z").strip()
    m = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)(?: (\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?)?", text)
    if m:
        y, mo, d, h, mi, s, f = (g or "0" for g in m.groups())
    else:
        m = re.fullmatch(r"(\d\d?)/(\d\d?)/(\d{4})(?:,? (\d\d?):(\d\d):(\d\d)(?:\.(\d+))? ?([AP]M)?)?",
                         text, re.I)
        if not m:
            return None
        mo, d, y, h, mi, s, f = (g or "0" for g in m.groups()[:7])
        if m[8]:
            h = int(h) % 12 + (12 if m[8].upper() == "PM" else 0)
    return int(y), int(mo), int(d), int(h), int(mi), int(s), f.rstrip("0")


def span(text):
    m = re.fullmatch(r"(-?)(?:(\d+)\.)?(\d\d?):(\d\d):(\d\d)(?:\.(\d+))?", str(text).strip())
    return m and (m[1], int(m[2] or 0), int(m[3]), int(m[4]), int(m[5]), (m[6] or "").rstrip("0"))


def parsed(text):
    try:
        return json.loads(text)
    except (ValueError, TypeError):
        return text


def same_json(want, got):
    if isinstance(want, bool) or isinstance(got, bool):
        return want == got or str(want).lower() == str(got).lower()
    if isinstance(want, (int, float)) and isinstance(got, (int, float)):
        return want == got or abs(want - got) <= 1e-9 * max(abs(want), abs(got))
    if isinstance(want, list) and isinstance(got, list):
        return len(want) == len(got) and all(map(same_json, want, got))
    if isinstance(want, dict) and isinstance(got, dict):
        return want.keys() == got.keys() and all(same_json(want[k], got[k]) for k in want)
    return want == got or str(want) == str(got)


def same(printed, value, kind):
    """Whether a printed cell is the value, of the column's type."""
    printed = printed.strip()
    if value is None or value == "":
        return printed.lower() in EMPTY or printed in ('""', "NaN") and value is None
    if kind == "bool":
        return printed.lower() in ({"true", "1"} if value else {"false", "0"})
    if kind in ("int", "long", "real", "decimal"):
        if isinstance(value, str) and kind != "decimal":  # NaN, Infinity
            return printed.lower().lstrip("+") in (value.lower(), value[:3].lower(),
                                                   {"Infinity": "∞", "-Infinity": "-∞"}.get(value))
        want = number(printed)
        return want is not None and abs(want - float(value)) <= max(
            digits(printed), 1e-9 * abs(want))
    if kind == "datetime":
        want, got = moment(printed), moment(value)
        return want is not None and got is not None and want[:6] == got[:6] and (
            got[6].startswith(want[6]))
    if kind == "timespan":
        return span(printed) is not None and span(printed) == span(value) or printed == value
    if kind == "dynamic":
        want = parsed(printed)
        if isinstance(value, str):
            return str(want) == value or printed == value
        return same_json(want, value) or re.sub(r"\s", "", printed) == re.sub(
            r"\s", "", json.dumps(value, ensure_ascii=False))
    return printed == str(value).strip() or printed.strip('"') == str(value).strip().strip('"')


def same_rows(want, answer):
    columns, rows = answer["columns"], list(answer["rows"])
    if len(want) != len(rows):
        return f"{len(rows)} rows, not {len(want)}"
    for cells in want:
        if len(cells) != len(columns):
            return f"{len(columns)} columns, not {len(cells)}"
        hit = next((row for row in rows if all(
            same(c, v, k["type"]) for c, v, k in zip(cells, row, columns))), None)
        if hit is None:
            return f"no row {cells!r}; {rows[:1]!r}"
        rows.remove(hit)
    return ""


def cell(text):
    """A Markdown cell without its code marks."""
    text = re.sub(r"<br\s*/?>", "\n", text.strip().replace("\\|", "|")).replace("&nbsp;", "")
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == "`" else text


def markdown(table):
    rows = []
    for line in table.strip().splitlines():
        line = line.strip()
        line = line[1:] if line.startswith("|") else line
        line = line[:-1] if line.endswith("|") and not line.endswith("\\|") else line
        rows.append([cell(c) for c in re.split(r"(?<!\\)\|", line)])
    return rows[2:]


def text_of(value, kind):
    if value is None:
        return ""
    if kind == "bool":
        return "True" if value else "False"
    if kind == "dynamic" and not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return str(value)


def squeezed(text):
    """Without white space, marks of null, whole reals' zeros and the styles of times."""
    text = re.sub(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(\.0+)?Z?", r"\1\2", text)
    return re.sub(r"\s|<null>|\.0(?=,|$)", "", text, flags=re.M)


def judge_text(case, answer):
    """What another engine's test expects: a typed table, or some rows as text."""
    form, _, part = case["expected_format"].partition(":")
    want = case["expected"].strip()
    columns, rows = answer["columns"], answer["rows"]
    if form == "typed_table":
        header, _, *lines = want.splitlines()
        wanted = [tuple(x.strip() for x in c.rsplit(":", 1)) for c in header.split(";")]
        got = [(c["name"], c["type"]) for c in columns]
        if wanted != got:
            return f"columns {got}, not {wanted}"
        return same_rows([re.split(r"; ?", line) for line in lines], answer)
    if form.startswith("last_row") and not part:
        if not rows:
            return "" if not want else "no rows"
        cells = [c.strip() for c in want.split(",")]
        if len(cells) == len(columns) and all(
                same(c, v, k["type"]) for c, v, k in zip(cells, rows[-1], columns)):
            return ""
    lines = [",".join(text_of(v, k["type"]) for v, k in zip(row, columns)) for row in rows]
    if form.startswith("last_row"):
        got = lines[-1] if lines else ""
    else:
        got = ("\n" if "newline" in form else "|").join(lines)
    if form.startswith("rows"):
        rows = r"\n|\|" if "newline" in form else r"[\n|,]"
        want, got = (sorted(squeezed(row) for row in re.split(rows, text))
                     for text in (want, got)) if not part else (squeezed(want), squeezed(got))
    else:
        want, got = squeezed(want), squeezed(got)
    fits = want in got if part == "contain" else got.startswith(want) if part else want == got
    return "" if fits else f"{str(got)[:100]}, not {str(want)[:100]}"


def judge(case, answer):
    if answer is None:
        return "no answer"
    if "error" in answer:
        return "refused: " + answer["error"]["message"][:120]
    if "expected_markdown_table" in case:
        return same_rows(markdown(case["expected_markdown_table"]), answer)
    return judge_text(case, answer)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pairs")
    parser.add_argument("answers")
    parser.add_argument("--known", default="/dev/null")
    parser.add_argument("--failures", type=int, default=2000)
    options = parser.parse_args()
    corpus = re.sub(r".*/|\.jsonl$", "", options.pairs)
    known = {}
    for line in open(options.known, encoding="utf-8"):
        if line.startswith(corpus + " "):
            _, name, reason = line.split(" ", 2)
            known[name] = reason.strip()
    answers = {a["name"]: a for a in map(json.loads, open(options.answers, encoding="utf-8"))}
    total = passed = explained = unsupported = 0
    failures, seen = [], set()
    for case in map(json.loads, open(options.pairs, encoding="utf-8")):
        if UNSTABLE.search(case["query"]) or case["name"] in seen:
            continue
        if not case.get("usable", True) or case.get("skipped_upstream"):
            continue
        if case.get("official_binder_errors") or case.get("expected") is None and \
                "expected_markdown_table" not in case:
            continue
        seen.add(case["name"])
        total += 1
        why = judge(case, answers.get(case["name"]))
        if not why:
            passed += 1
            if case["name"] in known:
                sys.exit(f"{corpus} {case['name']} is listed as a disagreement, and agrees")
        elif case["name"] in known or re.sub(r"\W.*", "-*", case["name"]) in known:
            explained += 1
        elif "is not supported" in why or "are not supported" in why:
            unsupported += 1
        else:
            failures.append(f"  {case['name']}: {why[:200]}")
    for failure in failures[:options.failures]:
        print(failure)
    print(f"{passed} of {total} pass; of the others {unsupported} are refused as not supported, "
          f"{explained} are explained, {len(failures)} are not")


main()
