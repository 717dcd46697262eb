;; Finds where one of many short byte patterns may begin: sixteen positions at a time by three shuffled
;; nibble tables (the method of ripgrep's Teddy), then one by one by a bitmap of four or three folded bytes.
;; The masks of sixty-four positions are gathered first: a branch for each sixteen is guessed wrong half the time.
;; `literals.ts` fills the tables and checks what is found.
;;
;; Memory: 0 six tables of 16 bytes · 1024 bitmap of 4-byte keys, 8 kB · 9216 bitmap of 3-byte keys, 8 kB ·
;; from 65536 the text. 16 bytes before and 96 after the range are read as well.
(module
  (memory (export "memory") 24)
  ;; from, end: addresses of the range · out: where u32 addresses of candidates go · anywhere: 1 to look inside
  ;; words as well · returns how many candidates there are
  (func (export "find") (param $at i32) (param $end i32) (param $out i32) (param $anywhere i32) (result i32)
    (local $first v128) (local $second v128) (local $third v128) (local $before v128)
    (local $low1 v128) (local $high1 v128) (local $low2 v128) (local $high2 v128) (local $low3 v128)
    (local $high3 v128) (local $nibble v128) (local $fold v128)
    (local $to_small v128) (local $to_capital v128) (local $letters v128) (local $to_digit v128)
    (local $digits v128)
    (local $found i64) (local $starts i64) (local $shift i64)
    (local $place i32) (local $key i32) (local $hash i32) (local $start i32)
    (local.set $start (local.get $out))
    (local.set $low1 (v128.load (i32.const 0)))
    (local.set $high1 (v128.load (i32.const 16)))
    (local.set $low2 (v128.load (i32.const 32)))
    (local.set $high2 (v128.load (i32.const 48)))
    (local.set $low3 (v128.load (i32.const 64)))
    (local.set $high3 (v128.load (i32.const 80)))
    (local.set $nibble (i8x16.splat (i32.const 15)))
    ;; A range is tested by moving it to the bottom of the signed bytes: `x - (first + 128) < length - 128`.
    (local.set $fold (i8x16.splat (i32.const 32)))
    (local.set $to_small (i8x16.splat (i32.const 225)))
    (local.set $to_capital (i8x16.splat (i32.const 193)))
    (local.set $letters (i8x16.splat (i32.const -102)))
    (local.set $to_digit (i8x16.splat (i32.const 176)))
    (local.set $digits (i8x16.splat (i32.const -118)))
    (block $done
    (loop $next
      (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
      (local.set $found (i64.const 0))
      (local.set $shift (i64.const 0))
      (loop $sixteen
        (local.set $place (i32.add (local.get $at) (i32.wrap_i64 (local.get $shift))))
        (local.set $first (v128.load (local.get $place)))
        (local.set $second (v128.load offset=1 (local.get $place)))
        (local.set $third (v128.load offset=2 (local.get $place)))
        (local.set $found (i64.or (local.get $found) (i64.shl
          (i64.extend_i32_u (i8x16.bitmask (i8x16.ne (v128.const i64x2 0 0)
            (v128.and
              (v128.and
                (v128.and
                  (i8x16.swizzle (local.get $low1) (v128.and (local.get $first) (local.get $nibble)))
                  (i8x16.swizzle (local.get $high1)
                    (v128.and (i16x8.shr_u (local.get $first) (i32.const 4)) (local.get $nibble))))
                (v128.and
                  (i8x16.swizzle (local.get $low2) (v128.and (local.get $second) (local.get $nibble)))
                  (i8x16.swizzle (local.get $high2)
                    (v128.and (i16x8.shr_u (local.get $second) (i32.const 4)) (local.get $nibble)))))
              (v128.and
                (i8x16.swizzle (local.get $low3) (v128.and (local.get $third) (local.get $nibble)))
                (i8x16.swizzle (local.get $high3)
                  (v128.and (i16x8.shr_u (local.get $third) (i32.const 4)) (local.get $nibble))))))))
          (local.get $shift))))
        (local.set $shift (i64.add (local.get $shift) (i64.const 16)))
        (br_if $sixteen (i64.lt_u (local.get $shift) (i64.const 64))))
      (if (i64.ne (local.get $found) (i64.const 0))
        (then
          (if (i32.eqz (local.get $anywhere))
            (then
              (local.set $starts (i64.const 0))
              (local.set $shift (i64.const 0))
              (loop $sixteen
                (local.set $place (i32.add (local.get $at) (i32.wrap_i64 (local.get $shift))))
                (local.set $first (v128.load (local.get $place)))
                (local.set $before (v128.load (i32.sub (local.get $place) (i32.const 1))))
                ;; A word may begin here: the byte before is no ASCII letter or digit, or it is lower case and
                ;; this one upper case, or this one is not ASCII.
                (local.set $starts (i64.or (local.get $starts) (i64.shl
                  (i64.extend_i32_u (i8x16.bitmask
                    (v128.or
                      (v128.or
                        (v128.not (v128.or
                          (i8x16.lt_s
                            (i8x16.sub (v128.or (local.get $before) (local.get $fold)) (local.get $to_small))
                            (local.get $letters))
                          (i8x16.lt_s (i8x16.sub (local.get $before) (local.get $to_digit)) (local.get $digits))))
                        (i8x16.lt_s (local.get $first) (v128.const i64x2 0 0)))
                      (v128.and
                        (i8x16.lt_s (i8x16.sub (local.get $first) (local.get $to_capital)) (local.get $letters))
                        (i8x16.lt_s (i8x16.sub (local.get $before) (local.get $to_small)) (local.get $letters))))))
                  (local.get $shift))))
                (local.set $shift (i64.add (local.get $shift) (i64.const 16)))
                (br_if $sixteen (i64.lt_u (local.get $shift) (i64.const 64))))
              (local.set $found (i64.and (local.get $found) (local.get $starts)))))
          (block $none
          (loop $bit
            (br_if $none (i64.eqz (local.get $found)))
            (local.set $place (i32.add (local.get $at) (i32.wrap_i64 (i64.ctz (local.get $found)))))
            (local.set $found (i64.and (local.get $found) (i64.sub (local.get $found) (i64.const 1))))
            (local.set $key (i32.or (i32.load (local.get $place)) (i32.const 0x20202020)))
            (local.set $hash (i32.shr_u (i32.mul (local.get $key) (i32.const 0x9E3779B1)) (i32.const 16)))
            (if (i32.eqz (i32.and
                  (i32.load8_u offset=1024 (i32.shr_u (local.get $hash) (i32.const 3)))
                  (i32.shl (i32.const 1) (i32.and (local.get $hash) (i32.const 7)))))
              (then
                (local.set $hash (i32.shr_u
                  (i32.mul (i32.and (local.get $key) (i32.const 0xFFFFFF)) (i32.const 0x9E3779B1))
                  (i32.const 16)))
                (br_if $bit (i32.eqz (i32.and
                  (i32.load8_u offset=9216 (i32.shr_u (local.get $hash) (i32.const 3)))
                  (i32.shl (i32.const 1) (i32.and (local.get $hash) (i32.const 7))))))))
            (i32.store (local.get $out) (local.get $place))
            (local.set $out (i32.add (local.get $out) (i32.const 4)))
            (br $bit)))))
      (local.set $at (i32.add (local.get $at) (i32.const 64)))
      (br $next)))
    (i32.shr_u (i32.sub (local.get $out) (local.get $start)) (i32.const 2))))
