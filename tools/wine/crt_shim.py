"""Makes the Windows libraries that Wine 8 lacks or has only in part, so that NumPy and torch can be imported.

    python crt_shim.py FOLDER     (FOLDER: drive_c/windows/system32 of a Wine prefix)

Windows' C runtime, ucrtbase.dll, has the complex functions of C99. Wine 8 exports their names, but they end
the program as soon as they are called ("unimplemented function ucrtbase.dll.crealf"), and NumPy calls them
while it is imported. Wine's own library cannot be exchanged as a whole, because its other 2400 functions
work. So the ucrtbase.dll made here holds the complex functions, taken from MinGW's mathematics, and hands
every other one on to ucrtwine.dll, which is a copy of Wine's.

bcryptprimitives.dll, whose only function ProcessPrng gives random bytes to programs written in Rust, as
safetensors is, does not exist in Wine 8 at all.

Neither file may be in what build.py makes: tools/wine/build looks for them there.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

WINES_OWN = Path("/usr/lib/x86_64-linux-gnu/wine/x86_64-windows/ucrtbase.dll")
COMPILER = ("x86_64-w64-mingw32-gcc", "-O2", "-Wall", "-Werror", "-s", "-shared", "-static-libgcc")
OBJDUMP = "x86_64-w64-mingw32-objdump"
BUILTIN_MARK, COPY_MARK = b"Wine builtin DLL", b"Copy of Wine DLL"

# Microsoft's C has no complex type: its complex numbers are structures, which are passed in other registers.
PRELUDE = """
#define _GNU_SOURCE  /* clog10 */
#include <complex.h>
#include <math.h>
typedef struct { double part[2]; } Double;
typedef struct { float part[2]; } Single;
static double complex from_Double(Double z) { return __builtin_complex(z.part[0], z.part[1]); }
static float complex from_Single(Single z) { return __builtin_complex(z.part[0], z.part[1]); }
static Double to_Double(double complex z) { return (Double){{creal(z), cimag(z)}}; }
static Single to_Single(float complex z) { return (Single){{crealf(z), cimagf(z)}}; }
"""
RANDOM_SOURCE = """
#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID buffer, ULONG length);  /* RtlGenRandom */
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE buffer, SIZE_T length)
{
    return SystemFunction036(buffer, (ULONG)length);
}
"""

COMPLEX_OF_COMPLEX = (
    *("cacos", "cacosh", "casin", "casinh", "catan", "catanh", "ccos", "ccosh", "cexp", "clog", "clog10"),
    *("conj", "cproj", "csin", "csinh", "csqrt", "ctan", "ctanh"),
)
REAL_OF_COMPLEX = ("cabs", "carg", "cimag", "creal")
KINDS = (
    # ending of the name, the structure, the type of its parts, the ending of MinGW's function
    ("", "Double", "double", ""),
    ("f", "Single", "float", "f"),
    ("l", "Double", "double", ""),  # Microsoft's long double is a double
)
CONSTRUCTORS = (("_C", "Double", "double"), ("_FC", "Single", "float"), ("_LC", "Double", "double"))


def main() -> None:
    """Write the three files into the folder that the command line names."""
    folder = Path(sys.argv[1]).resolve()
    own = complex_functions()
    # each export is one of our own or is handed on
    exports = [f'"{n}" = shim_{n}' if n in own else f'"{n}" = ucrtwine.{n}' for n in exported(WINES_OWN)]
    with tempfile.TemporaryDirectory() as place:
        work = Path(place)
        (work / "complex.c").write_text(PRELUDE + "\n".join(own.values()) + "\n", encoding="ascii")
        (work / "complex.def").write_text(
            "LIBRARY ucrtbase.dll\nEXPORTS\n" + "\n".join(exports) + "\n", encoding="ascii"
        )
        (work / "random.c").write_text(RANDOM_SOURCE, encoding="ascii")
        compile_library(work, folder / "ucrtbase.dll", "complex.c", "complex.def")
        compile_library(work, folder / "bcryptprimitives.dll", "random.c", "-ladvapi32")
    # with the mark in its header Wine would load its own file in place of this one
    copy = WINES_OWN.read_bytes().replace(BUILTIN_MARK, COPY_MARK, 1)
    (folder / "ucrtwine.dll").write_bytes(copy)


def complex_functions() -> dict[str, str]:
    """C source of every function of our own, by the name that Windows exports."""
    found = {}
    for ending, kind, part, gnu in KINDS:
        for name in COMPLEX_OF_COMPLEX:
            value = f"to_{kind}({name}{gnu}(from_{kind}(z)))"
            found[name + ending] = f"{kind} shim_{name}{ending}({kind} z) {{ return {value}; }}"
        for name in REAL_OF_COMPLEX:
            value = f"{name}{gnu}(from_{kind}(z))"
            found[name + ending] = f"{part} shim_{name}{ending}({kind} z) {{ return {value}; }}"
        square = "z.part[0] * z.part[0] + z.part[1] * z.part[1]"  # no function of C99, but of Microsoft's
        found["norm" + ending] = f"{part} shim_norm{ending}({kind} z) {{ return {square}; }}"
        power = f"to_{kind}(cpow{gnu}(from_{kind}(y), from_{kind}(z)))"
        found["cpow" + ending] = f"{kind} shim_cpow{ending}({kind} y, {kind} z) {{ return {power}; }}"
    for prefix, kind, part in CONSTRUCTORS:
        for name, second, value in (
            ("build", part, "{y, z}"),
            ("mulcr", part, "{y.part[0] * z, y.part[1] * z}"),
        ):
            first = part if name == "build" else kind
            head = f"{kind} shim_{prefix}{name}({first} y, {second} z)"
            found[prefix + name] = f"{head} {{ return ({kind}){{{value}}}; }}"
        product = f"to_{kind}(from_{kind}(y) * from_{kind}(z))"
        found[prefix + "mulcc"] = f"{kind} shim_{prefix}mulcc({kind} y, {kind} z) {{ return {product}; }}"
    return found


def exported(library: Path) -> list[str]:
    """The names that a Windows library exports."""
    told = subprocess.run(
        [OBJDUMP, "-p", str(library)], capture_output=True, encoding="ascii", check=True
    ).stdout
    table = told.partition("[Ordinal/Name Pointer] Table")[2].partition("\n\n")[0]
    # "[   7] _Exit"; newer ones write more numbers before the name
    return sorted(re.findall(r"^\s*\[ *\d+\].*?(\S+)$", table, re.MULTILINE))


def compile_library(work: Path, target: Path, *parts: str) -> None:
    """Compile parts in the folder work into a library."""
    target.unlink(missing_ok=True)  # it may be a link to Wine's own file
    subprocess.run([*COMPILER, "-o", str(target), *parts], cwd=work, check=True)


if __name__ == "__main__":
    main()
