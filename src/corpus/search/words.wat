;; Counts the words of a text in ASCII: cuts it, looks each word up among those met before by its bytes, and adds one to
;; the count of its term. `word-counter.ts` fills the tables, and is called for what is not known yet.
;;
;; Memory: 0 the kind of each byte (0 none, 1 digit, 2 small letter, 3 capital, 4 not ASCII), 256 bytes ·
;; 65536 the text, with a zero behind it, 1 MB and a page · 1179648 terms of the text, 2 MB · 3276800 counts by term,
;; 4 MB · 7471104 words met before, 65536 pairs of places of 32 bytes: the word, at 27 its length, at 28 its term.
(module
  ;; A word that was not met before: its first byte and the one after it. Returns the number of its term.
  (import "words" "miss" (func $miss (param i32 i32) (result i32)))
  ;; A word with letters that are not ASCII: its first byte, and the first such. Returns where it ends.
  (import "words" "other" (func $other (param i32 i32) (result i32)))
  (memory (export "memory") 180)
  (global $distinct (mut i32) (i32.const 0))
  (func $add (export "add") (param $term i32)
    (local $place i32) (local $count i32)
    (local.set $place (i32.add (i32.const 3276800) (i32.shl (local.get $term) (i32.const 2))))
    (local.set $count (i32.load (local.get $place)))
    (if (i32.eqz (local.get $count))
      (then
        (i32.store (i32.add (i32.const 1179648) (i32.shl (global.get $distinct) (i32.const 2))) (local.get $term))
        (global.set $distinct (i32.add (global.get $distinct) (i32.const 1)))))
    (i32.store (local.get $place) (i32.add (local.get $count) (i32.const 1))))
  ;; Returns how many terms a text of so many bytes has.
  (func (export "count") (param $length i32) (result i32)
    (local $at i32) (local $end i32) (local $from i32) (local $hash i32) (local $before i32) (local $byte i32)
    (local $kind i32) (local $bytes i32) (local $first i32) (local $place i32) (local $same i32) (local $term i32)
    (global.set $distinct (i32.const 0))
    (local.set $at (i32.const 65536))
    (local.set $end (i32.add (local.get $at) (local.get $length)))
    (block $done
    (loop $word
      (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
      (local.set $from (local.get $at))
      (local.set $hash (i32.const 0))
      (local.set $before (i32.const 0))
      (block $cut
      (loop $letter
        (local.set $byte (i32.load8_u (local.get $at)))
        (local.set $kind (i32.load8_u (local.get $byte)))
        (br_if $cut (i32.eqz (local.get $kind)))
        (if (i32.ge_u (local.get $kind) (i32.const 3))
          (then
            (if (i32.eq (local.get $kind) (i32.const 4))
              (then
                (local.set $at (call $other (local.get $from) (local.get $at)))
                (br $word)))
            (br_if $cut (i32.eq (local.get $before) (i32.const 2)))))
        (local.set $hash (i32.add (i32.mul (local.get $hash) (i32.const 31)) (local.get $byte)))
        (local.set $before (local.get $kind))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $letter)))
      (local.set $bytes (i32.sub (local.get $at) (local.get $from)))
      (if (i32.eqz (local.get $bytes))
        (then
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (br $word)))
      (if (i32.gt_u (local.get $bytes) (i32.const 27))
        (then
          (call $add (call $miss (local.get $from) (local.get $at)))
          (br $word)))
      (local.set $first (i32.add (i32.const 7471104)
        (i32.shl (i32.shr_u (i32.mul (local.get $hash) (i32.const 0x9E3779B1)) (i32.const 16)) (i32.const 6))))
      (local.set $place (local.get $first))
      (block $known
        (loop $second
          (block $another
            (br_if $another (i32.ne (i32.load8_u offset=27 (local.get $place)) (local.get $bytes)))
            (local.set $same (i32.const 0))
            (block $tail
            (loop $four
              (br_if $tail (i32.gt_u (i32.add (local.get $same) (i32.const 4)) (local.get $bytes)))
              (br_if $another (i32.ne
                (i32.load (i32.add (local.get $from) (local.get $same)))
                (i32.load (i32.add (local.get $place) (local.get $same)))))
              (local.set $same (i32.add (local.get $same) (i32.const 4)))
              (br $four)))
            (loop $one
              (br_if $known (i32.eq (local.get $same) (local.get $bytes)))
              (br_if $another (i32.ne
                (i32.load8_u (i32.add (local.get $from) (local.get $same)))
                (i32.load8_u (i32.add (local.get $place) (local.get $same)))))
              (local.set $same (i32.add (local.get $same) (i32.const 1)))
              (br $one)))
          (if (i32.eq (local.get $place) (local.get $first))
            (then
              (local.set $place (i32.add (local.get $first) (i32.const 32)))
              (br $second))))
        ;; The later word comes first; the one before it goes to the second place.
        (local.set $term (call $miss (local.get $from) (local.get $at)))
        (memory.copy (local.get $place) (local.get $first) (i32.const 32))
        (memory.copy (local.get $first) (local.get $from) (local.get $bytes))
        (i32.store8 offset=27 (local.get $first) (local.get $bytes))
        (i32.store offset=28 (local.get $first) (local.get $term))
        (local.set $place (local.get $first)))
      (call $add (i32.load offset=28 (local.get $place)))
      (br $word)))
    (global.get $distinct)))
