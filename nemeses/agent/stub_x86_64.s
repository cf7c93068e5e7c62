# The x86_64 clock stub that the agent writes into the tail of a process's vDSO. stubs.py holds its bytes; a test assembles this file
# and compares:  as stub_x86_64.s -o stub.o && objcopy -O binary -j .text stub.o stub.bin
#
# Parameters first (layout shared with aarch64), then three entries that the vDSO's own functions jump to. For the wall clocks in `mask`:
#     shown = true + (true - t0) * rate / 2^32 + offset + (amplitude in every odd slice)
# Two banks of parameters and one word that says which is live: an update fills the idle bank, then flips the word; nobody is stopped.
    .intel_syntax noprefix
    .text
magic:  .ascii  "SBCLOCK1"
live:   .long   0                       # 0 or 1: the bank in use
mask:   .long   0x0821                  # CLOCK_REALTIME, CLOCK_REALTIME_COARSE, CLOCK_TAI
owner:  .quad   0                       # which run wrote this: heal touches no other's
bank0:  .fill   5, 8, 0                 # t0, rate, offset, slice, amplitude (ns; rate in 2^-32)
bank1:  .fill   5, 8, 0
        .balign 16

clock_gettime:                          # edi: clock, rsi: timespec
        cmp     edi, 31
        ja      original
        bt      dword ptr [rip + mask], edi
        jnc     original
        push    rsi                     # also aligns the stack for the call
        call    original
        pop     rsi
        test    eax, eax
        jnz     4f
        lea     r9, [rip + bank0]
        lea     r8, [rip + bank1]
        cmp     dword ptr [rip + live], 0
        cmovne  r9, r8
        imul    rcx, [rsi], 1000000000
        add     rcx, [rsi + 8]          # rcx: true wall clock, ns
        mov     rax, rcx
        sub     rax, [r9]
        imul    qword ptr [r9 + 8]      # 128 bits: years of drift do not overflow
        shrd    rax, rdx, 32
        lea     r8, [rcx + rax]
        add     r8, [r9 + 16]
        mov     r10, [r9 + 24]
        test    r10, r10
        jz      1f
        mov     rax, rcx
        xor     edx, edx
        div     r10
        test    al, 1
        jz      1f
        add     r8, [r9 + 32]
1:      mov     rax, r8
        cqo
        mov     ecx, 1000000000
        idiv    rcx
        test    rdx, rdx
        jns     2f
        add     rdx, rcx                # floor: a time before 1970 has nanoseconds >= 0 too
        dec     rax
2:      mov     [rsi], rax
        mov     [rsi + 8], rdx
        xor     eax, eax
4:      ret

        .balign 16
gettimeofday:                           # rdi: timeval or 0, rsi: timezone or 0
        push    rdi
        push    rsi
        sub     rsp, 24
        test    rdi, rdi
        jz      1f
        xor     edi, edi
        mov     rsi, rsp
        call    clock_gettime
        mov     rdi, [rsp + 32]
        mov     rax, [rsp]
        mov     [rdi], rax
        mov     rax, [rsp + 8]
        xor     edx, edx
        mov     ecx, 1000
        div     rcx
        mov     [rdi + 8], rax
1:      mov     rsi, [rsp + 24]
        test    rsi, rsi
        jz      2f
        xor     edi, edi
        mov     eax, 96                 # the zone alone, from the kernel
        syscall
2:      xor     eax, eax
        add     rsp, 40
        ret

        .balign 16
time:                                   # rdi: time_t or 0
        push    rdi
        sub     rsp, 16
        mov     edi, 5
        mov     rsi, rsp
        call    clock_gettime
        mov     rax, [rsp]
        add     rsp, 16
        pop     rdi
        test    rdi, rdi
        jz      1f
        mov     [rdi], rax
1:      ret

        .balign 16
original:                               # the agent puts the moved first instructions and a jump back here; as it stands: the system call
        mov     eax, 228
        syscall
        ret
