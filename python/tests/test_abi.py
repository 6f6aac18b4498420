"""What the package says of the C ABI is what plimsoll.h says."""
import ctypes
import os
import re
import shutil
import subprocess
import unittest

from base import HERE, Base, abi, plm

NATIVE = os.path.join(HERE, "..", "..", "native", "src", "main", "native")
# Of the header, what no engine in Python calls: memory and streams are its framework's, exchanges are the agent's.
NOT_MIRRORED = set(
    """PLM_ABI_MAJOR PLM_ABI_MINOR PLM_API PLM_MEMORY_DEVICE PLM_MEMORY_PINNED PLM_RING_POLLED
    plm_abi_version plm_info plm_get_info plm_alloc plm_free plm_stream_create plm_stream_destroy plm_stream_launch
    plm_copy_async plm_stream_sync plm_gather plm_last_error plm_ring_counts plm_ring_stats plm_ring_on_complete
    plm_ring_poll plm_part plm_xfer_begin plm_xfer_add plm_xfer_submit plm_xfer_poll plm_xfer_took plm_xfer_join
    plm_xfer_end plm_mailbox_write plm_mailbox_last_position""".split())


class TheMirror(Base):
    """What the module says of the C ABI is what plimsoll.h says."""

    def test_structs_and_constants_equal_the_header(self):
        compiler = next(filter(None, map(shutil.which, ("cc", "gcc", "g++", "clang"))), None)
        if compiler is None:
            self.skipTest("NOTICE: no C compiler, so the structs are not compared with plimsoll.h")
        lines, expected = [], []
        for struct in abi.STRUCTS:
            name = struct.__name__
            lines.append('printf("%s %%zu\\n", sizeof(%s));' % (name, name))
            expected.append("%s %d" % (name, ctypes.sizeof(struct)))
            for field, _ in struct._fields_:
                lines.append('printf("%s.%s %%zu %%zu\\n", offsetof(%s, %s), sizeof(((%s*)0)->%s));'
                             % (name, field, name, field, name, field))
                place = getattr(struct, field)
                expected.append("%s.%s %d %d" % (name, field, place.offset, place.size))
        constants = [name for name in dir(abi) if name.startswith("PLM_")]
        for name in constants:
            lines.append('printf("%s %%lld\\n", (long long)%s);' % (name, name))
            expected.append("%s %d" % (name, getattr(abi, name)))
        for names, prefix in ((plm.Outcome, "OUTCOME"), (plm.Phase, "PHASE"), (plm.Note, "NOTE"), (plm.Refusal, "REFUSAL"),
                              (plm.Ignored, "IGNORED")):
            for name in names:
                lines.append('printf("%s %%d\\n", PLM_%s_%s);' % (name.name, prefix, name.name))
                expected.append("%s %d" % (name.name, name))
        lines.append('printf("major %d\\n", PLM_ABI_MAJOR);')
        expected.append("major %d" % abi.ABI_MAJOR)
        lines.append('printf("minor %d\\n", PLM_ABI_MINOR);')
        expected.append("minor %d" % abi.ABI_MINOR)
        with open(self.path("mirror.c"), "w") as source:
            source.write('#include <stddef.h>\n#include <stdio.h>\n#include "plimsoll.h"\n')
            source.write("int main(void) {\n%s\nreturn 0; }\n" % "\n".join(lines))
        program = self.path("mirror")
        subprocess.run([compiler, "-I", NATIVE, "-o", program, program + ".c"], check=True, timeout=60)
        told = subprocess.run([program], check=True, timeout=10, stdout=subprocess.PIPE).stdout.decode()
        self.assertEqual(expected, told.splitlines())
        self.assertGreater(len(constants), 80)

    def test_no_field_of_a_struct_is_left_out_and_every_signature_has_the_headers_arity(self):
        with open(os.path.join(NATIVE, "plimsoll.h")) as header:
            text = re.sub(r"/\*.*?\*/", "", header.read(), flags=re.S)
        for struct in abi.STRUCTS:
            body = re.search(r"typedef struct %s \{(.*?)\} %s;" % ((struct.__name__,) * 2), text, re.S).group(1)
            fields = re.findall(r"(\w+)(?:\[\w+\])?;", body)
            self.assertEqual(fields, [name for name, _ in struct._fields_], struct.__name__)
        self.assertEqual(set(), set(re.findall(r"typedef struct (plm_\w+)", text)) - NOT_MIRRORED - {
            struct.__name__ for struct in abi.STRUCTS}, "structs of the header")
        self.assertEqual(set(), set(re.findall(r"PLM_API \w+ (plm_\w+)\(", text)) - NOT_MIRRORED - set(abi.SIGNATURES),
                         "functions of the header")
        self.assertEqual(set(), set(re.findall(r"#define (PLM_\w+) ", text)) - NOT_MIRRORED - set(dir(abi)),
                         "constants of the header")
        for name, types in abi.SIGNATURES.items():
            given = re.search(r"PLM_API int32_t %s\((.*?)\);" % name, text, re.S).group(1)
            self.assertEqual(len(types), given.count(",") + 1, name)

    def test_another_abi_a_missing_file_and_what_is_no_library_are_named(self):
        self.refused("^UNAVAILABLE: there is no libplimsoll.so at /nowhere/x.so \\(the library argument\\)$",
                     abi.Library, "/nowhere/x.so", status=abi.PLM_E_UNAVAILABLE)
        with open(self.path("text.so"), "w") as text:
            text.write("no library")
        self.refused("cannot load .*text.so", abi.Library, self.path("text.so"), status=abi.PLM_E_UNAVAILABLE)
        compiler = shutil.which("cc") or shutil.which("gcc")
        if compiler is None:
            self.skipTest("NOTICE: no C compiler, so no library of another ABI was made")
        with open(self.path("other.c"), "w") as source:
            source.write("unsigned plm_abi_version(void) { return 1 << 16; }\n")
            source.write('const char* plm_last_error(void) { return ""; }\n')
        other = self.path("other.so")
        subprocess.run([compiler, "-shared", "-fPIC", "-o", other, self.path("other.c")], check=True, timeout=60)
        self.refused("has ABI 1.0, this module needs 3", abi.Library, other, status=abi.PLM_E_UNAVAILABLE)

    def test_a_value_that_does_not_fit_its_field_is_refused_and_not_cut_off(self):
        self.refused("plm_vote.level cannot hold 258", abi.new, abi.plm_vote, level=258)
        self.refused("plm_vote has no levle", abi.new, abi.plm_vote, levle=1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
