"""Moving a function's first instructions elsewhere, so that a jump can stand in their place and the function still be called.

Why it exists  the stub asks the original clock code for the true time; with the raw system call instead, a clock read costs ten times more.
Relies on      knowing every instruction that it moves: an unknown one is answered with None, and the stub makes the system call.
"""

from __future__ import annotations

import platform
import struct

ARM = platform.machine() in ("aarch64", "arm64")
JUMP = 5  # bytes of an x86_64 jump


def jump(source: int, target: int) -> bytes:
    """A jump from one offset to another."""
    if ARM:
        return struct.pack("<I", 0x14000000 | ((target - source) >> 2 & 0x3FFFFFF))
    return b"\xe9" + struct.pack("<i", target - (source + JUMP))


def moved_prologue(code: bytes, start: int, target: int) -> bytes | None:
    """The instructions of code[start:] that a jump would overwrite, as they must read at `target`, and the jump back behind them."""
    return _moved_arm(code, start, target) if ARM else moved_x86(code, start, target)


def moved_x86(code: bytes, start: int, target: int) -> bytes | None:
    """Whole instructions that cover at least a jump's five bytes; None when one of them is not in our list."""
    at, moved = start, b""
    while at - start < JUMP:
        length = _length(code[at : at + 16])
        if length == 0:
            return None
        instruction = code[at : at + length]
        if _is_rip_relative(instruction):  # the distance that it holds counts from where it stands
            (distance,) = struct.unpack_from("<i", instruction, length - 4)
            instruction = instruction[:-4] + struct.pack("<i", distance + at - (target + len(moved)))
        moved += instruction
        at += length
    return moved + b"\xe9" + struct.pack("<i", at - (target + len(moved) + JUMP))


def _length(code: bytes) -> int:
    """Bytes of the instruction that code begins with, 0 if unknown: what compilers open a function with, and no more."""
    if code[:4] == b"\xf3\x0f\x1e\xfa":  # endbr64
        return 4
    prefix = 1 if 0x40 <= code[0] <= 0x4F else 0
    opcode, operand = code[prefix], code[prefix + 1]
    mode, register = operand >> 6, operand & 7
    if 0x50 <= opcode <= 0x57:  # push
        return prefix + 1
    if 0xB8 <= opcode <= 0xBF and not code[0] & 8 * prefix:  # mov r32, imm32
        return prefix + 5
    if mode == 3:
        return prefix + {0x01: 2, 0x29: 2, 0x31: 2, 0x39: 2, 0x63: 2, 0x85: 2, 0x89: 2, 0x8B: 2, 0x83: 3, 0x81: 6}.get(opcode, -prefix)
    if opcode == 0x8D:  # lea
        if mode == 0 and register == 5:
            return prefix + 6
        if mode == 1:
            return prefix + (4 if register == 4 else 3)
    return 0


def _is_rip_relative(instruction: bytes) -> bool:
    prefix = 1 if 0x40 <= instruction[0] <= 0x4F else 0
    return instruction[prefix] == 0x8D and instruction[prefix + 1] >> 6 == 0


def _moved_arm(code: bytes, start: int, target: int) -> bytes | None:
    """One instruction, unless its meaning depends on where it stands."""
    (word,) = struct.unpack_from("<I", code, start)
    relative = (
        word & 0x1F000000 == 0x10000000  # adr, adrp
        or word & 0x7C000000 == 0x14000000  # b, bl
        or word & 0xFE000000 == 0x54000000  # b.cond
        or word & 0x7E000000 in (0x34000000, 0x36000000)  # cbz, tbz
        or word & 0x3B000000 == 0x18000000  # ldr literal
    )
    return None if relative else struct.pack("<I", word) + jump(target + 4, start + 4)
