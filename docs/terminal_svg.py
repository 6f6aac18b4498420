#!/usr/bin/env python3
"""Draws what a command leaves on a terminal as an SVG picture.

    python3 docs/terminal_svg.py [--columns N] PICTURE.svg COMMAND...

Runs COMMAND under a pseudo-terminal and draws its last screen: text, the eight colours, bold and dim, lines that were taken back.
Needs Linux or macOS and Python 3.8, nothing else. The picture brings its own background, so it can stand on a light page and on
a dark one; bars are drawn as boxes, so that no font is needed that has them.
"""
import argparse
import fcntl
import os
import pty
import re
import struct
import sys
import termios
from xml.sax.saxutils import escape

FONT, CELL, LINE, MARGIN, BAR = 13, 7.8, 18, 14, 30
PAGE, INK, FAINT = "#1f2430", "#d8dee9", "#8a93a6"
COLOURS = dict(zip(range(30, 38), ("#5c6370", "#ef6b73", "#8fce7e", "#e5c07b", "#6cb0f2", "#d183e8", "#56c2cc", INK)))
EIGHTHS = {"█": 8, "▉": 7, "▊": 6, "▋": 5, "▌": 4, "▍": 3, "▎": 2, "▏": 1}
TOKENS = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])|(\r)|(\n)|([^\x1b\r\n]+)|\x1b.")


def run(command, columns):
    """All that the command wrote to its terminal."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(COLUMNS=str(columns), TERM="xterm-256color")
        os.environ.pop("NO_COLOR", None)
        os.execvp(command[0], command)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 60, columns, 0, 0))
    output = b""
    while True:
        try:
            read = os.read(terminal, 65536)
        except OSError:  # Linux says so when the other end is closed
            break
        if not read:
            break
        output += read
    if os.waitpid(pid, 0)[1] != 0:
        sys.exit("the command failed:\n" + output.decode(errors="replace")[-2000:])
    return output.decode(errors="replace")


def screen(output, columns):
    """Lines of (character, colour), as a terminal shows them in the end."""
    lines, x, colour = [[]], 0, INK
    for code, letter, back, down, text in TOKENS.findall(output):
        if letter == "m":
            for number in [int(n or 0) for n in code.split(";")]:
                colour = INK if number == 0 else FAINT if number == 2 else COLOURS.get(number, colour)
        elif letter == "K":
            del lines[-1][x:]
        elif back:
            x = 0
        elif down:
            lines.append([])
            x = 0
        for character in text:
            if x == columns:
                lines.append([])
                x = 0
            lines[-1][x:x + 1] = [(character, colour)]
            x += 1
    while lines and not lines[-1]:
        lines.pop()
    return lines


def drawn(line, top):
    """One line: boxes for bars, else texts of one colour, each held to its width so that columns stay columns."""
    x = 0
    while x < len(line):
        character, colour = line[x]
        end = x + 1
        if character in EIGHTHS:
            # A run of full blocks and the part of one that ends it are one box, without a seam.
            while end < len(line) and line[end - 1][0] == "█" and line[end][0] in EIGHTHS and line[end][1] == colour:
                end += 1
            width = sum(EIGHTHS[block] / 8 for block, _ in line[x:end]) * CELL
            yield f'<rect x="{MARGIN + x * CELL:.1f}" y="{top - FONT + 2}" width="{width:.1f}" height="{FONT}" fill="{colour}"/>'
        else:
            while end < len(line) and line[end][1] == colour and line[end][0] not in EIGHTHS:
                end += 1
            text = "".join(c for c, _ in line[x:end])
            if text.strip():
                lead = len(text) - len(text.lstrip())
                text = text.strip()
                yield (f'<text x="{MARGIN + (x + lead) * CELL:.1f}" y="{top}" fill="{colour}"'
                       f' textLength="{len(text) * CELL:.1f}">{escape(text)}</text>')
        x = end


def picture(lines, title):
    width = max(len(line) for line in lines) * CELL + 2 * MARGIN
    height = len(lines) * LINE + BAR + MARGIN
    yield (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" width="{width:.0f}" height="{height}"'
           f' font-family="ui-monospace, Menlo, Consolas, \'DejaVu Sans Mono\', monospace" font-size="{FONT}"'
           ' xml:space="preserve">')
    yield f"<title>{escape(title)}</title>"
    yield f'<rect width="100%" height="100%" rx="8" fill="{PAGE}" stroke="{FAINT}" stroke-opacity="0.5"/>'
    yield f'<text x="{MARGIN}" y="{BAR - 9}" fill="{FAINT}">$ {escape(title)}</text>'
    for number, line in enumerate(lines):
        yield from drawn(line, BAR + LINE * number + FONT)
    yield "</svg>"


def main():
    options = argparse.ArgumentParser(description="Draw what a command leaves on a terminal as an SVG picture.")
    options.add_argument("--columns", type=int, default=100)
    options.add_argument("picture")
    options.add_argument("command", nargs=argparse.REMAINDER)
    given = options.parse_args()
    lines = screen(run(given.command, given.columns), given.columns)
    with open(given.picture, "w", encoding="utf-8") as file:
        file.write("\n".join(picture(lines, " ".join(given.command))) + "\n")


if __name__ == "__main__":
    main()
