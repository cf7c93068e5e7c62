// The aarch64 clock stub: same parameters, same arithmetic as stub_x86_64.s. stubs.py holds its bytes; a test assembles this file and
// compares:  llvm-mc -arch=aarch64 -filetype=obj stub_aarch64.s -o stub.o && llvm-objcopy -O binary -j .text stub.o stub.bin
    .text
magic:  .ascii  "SBCLOCK1"
live:   .word   0
mask:   .word   0x0821
owner:  .xword  0
bank0:  .fill   5, 8, 0
bank1:  .fill   5, 8, 0
        .balign 16

clock_gettime:                          // w0: clock, x1: timespec
        cmp     w0, #31
        b.hi    original
        adr     x9, magic
        ldr     w10, [x9, #12]
        lsr     w10, w10, w0
        tbz     w10, #0, original
        stp     x29, x30, [sp, #-32]!
        mov     x29, sp
        str     x1, [sp, #16]
        bl      original
        ldr     x1, [sp, #16]
        ldp     x29, x30, [sp], #32
        cbnz    w0, 4f
        adr     x9, magic
        ldr     w10, [x9, #8]
        add     x11, x9, #24            // bank 0
        add     x12, x9, #64            // bank 1
        cmp     w10, #0
        csel    x11, x11, x12, eq
        movz    x13, #0xca00
        movk    x13, #0x3b9a, lsl #16   // 1,000,000,000
        ldp     x2, x3, [x1]
        madd    x2, x2, x13, x3         // x2: true wall clock, ns
        ldp     x4, x5, [x11]           // t0, rate
        sub     x6, x2, x4
        mul     x7, x6, x5
        smulh   x8, x6, x5
        extr    x7, x8, x7, #32
        add     x7, x2, x7
        ldp     x4, x5, [x11, #16]      // offset, slice
        add     x7, x7, x4
        cbz     x5, 1f
        udiv    x6, x2, x5
        tbz     x6, #0, 1f
        ldr     x4, [x11, #32]
        add     x7, x7, x4
1:      sdiv    x4, x7, x13
        msub    x5, x4, x13, x7
        tbz     x5, #63, 2f
        add     x5, x5, x13
        sub     x4, x4, #1
2:      stp     x4, x5, [x1]
        mov     w0, #0
4:      ret

        .balign 16
gettimeofday:                           // x0: timeval or 0, x1: timezone or 0
        stp     x29, x30, [sp, #-48]!
        mov     x29, sp
        stp     x0, x1, [sp, #16]
        cbz     x0, 1f
        mov     w0, #0
        add     x1, sp, #32
        bl      clock_gettime
        ldp     x2, x3, [sp, #32]
        mov     x4, #1000
        udiv    x3, x3, x4
        ldr     x0, [sp, #16]
        stp     x2, x3, [x0]
1:      ldr     x1, [sp, #24]
        cbz     x1, 2f
        mov     x0, #0
        mov     x8, #169                // the zone alone, from the kernel
        svc     #0
2:      mov     w0, #0
        ldp     x29, x30, [sp], #48
        ret

        .balign 16
original:                               // the agent puts the moved first instruction and a branch back here
        mov     x8, #113
        svc     #0
        ret
