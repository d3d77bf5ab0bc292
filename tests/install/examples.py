"""examples.py OUTPUT HEADER...: writes the examples of headers as C++, one function each, and a main that calls them.

An example stands in a comment between the lines `/// ```cpp` and `/// ```: #include lines, then the body of main.
"""
import pathlib
import re
import sys

EXAMPLE = re.compile(r"^/// ```cpp\n((?:///.*\n)+?)/// ```$", re.MULTILINE)

output, headers = pathlib.Path(sys.argv[1]), sys.argv[2:]
includes, functions, calls = set(), [], []
for header in headers:
    text = pathlib.Path(header).read_text(encoding="utf-8")
    for example in EXAMPLE.finditer(text):
        lines = [line.removeprefix("///").removeprefix(" ") for line in example[1].splitlines()]
        includes.update(line for line in lines if line.startswith("#include"))
        body = ["" if line.startswith("#include") else line for line in lines]
        first_line = text.count("\n", 0, example.start(1)) + 1
        function = f"example_{len(functions)}"
        functions.append("\n".join([f"void {function}() {{", f'#line {first_line} "{header}"', *body, "}"]))
        calls.append(f'  std::puts("{header}");\n  {function}();')

main = "int main() {\n" + "\n".join(calls) + "\n}\n"
output.write_text("\n\n".join(["\n".join(["#include <cstdio>", *sorted(includes)]), *functions, main]), encoding="utf-8")
