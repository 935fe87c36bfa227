# SPDX-License-Identifier: Apache-2.0
# The bytes of an aimg archive for Kaitai Struct (https://kaitai.io), from SPEC.md; numbers in doc are its sections. It says where
# things lie. Checksums, coded bytes and the rules of section 11 are beyond it: reader.py. A torn tail cannot be parsed.
meta:
  id: aimg
  title: aimg archive 0.1
  file-extension: aimg
  license: Apache-2.0
  endian: le
seq:
  - id: header
    type: header
    size: 4096
  - id: hints
    type: hint
    size: 4096
    repeat: expr
    repeat-expr: 2
    doc: page A, page B
  - id: frames
    type: frame
    repeat: eos
enums:
  frame_type:
    1: image
    2: alias
    3: run
    4: column
    5: mask
    6: names
    7: content
    8: values
    9: dict
    10: coding
    11: meta
    12: root
    13: pad
    14: commit
  section_kind:
    1: entries
    2: name_text
    3: values
    4: groups
    5: validity
    6: dead
    7: attached
    8: rank
    9: name_slots
    10: content_slots
  column_type:
    1: bool
    2: u8
    3: u16
    4: u32
    5: u64
    6: i8
    7: i16
    8: i32
    9: i64
    10: f16
    11: f32
    12: f64
    13: utf8
    14: bytes
    15: dictionary
    16: image
types:
  u48:
    seq:
      - id: low
        type: u4
      - id: high
        type: u2
    instances:
      value:
        value: low + (high << 32)
  header:
    doc: section 2.1
    seq:
      - id: magic
        contents: [0x89, 0x41, 0x49, 0x4D, 0x47, 0x0D, 0x0A, 0x1A]
      - id: major
        type: u2
        valid: 0
      - id: minor
        type: u2
        valid: 1
      - id: header_bytes
        type: u4
        valid: 4096
      - id: uuid
        size: 16
      - id: compat
        type: u8
      - id: ro_compat
        type: u8
      - id: incompat
        type: u8
      - id: created_ns
        type: u8
      - id: params
        type: params
      - id: writer_bytes
        type: u2
        valid:
          max: 254
      - id: writer
        type: str
        encoding: UTF-8
        size: writer_bytes
      - id: zeros
        size: 254 - writer_bytes + 3696
      - id: hash
        size: 16
  params:
    doc: section 2.2
    seq:
      - id: alignment_log2
        type: u1
        valid:
          min: 3
          max: 12
      - id: zeros_1
        size: 7
      - id: name_seed
        type: u8
      - id: zeros_16
        size: 48
  hint:
    doc: section 2.3; all zero when there is none
    seq:
      - id: magic
        size: 8
      - id: seq
        type: u8
      - id: commit_offset
        type: u8
      - id: end
        type: u8
      - id: salt
        type: u4
      - id: zeros
        size: 4044
      - id: hash
        size: 16
  frame:
    doc: section 3
    seq:
      - id: magic
        contents: AF
      - id: type
        type: u1
        enum: frame_type
      - id: header_units
        type: u1
      - id: ordinal
        type: u4
      - id: salt
        type: u4
      - id: name_bytes
        type: u2
      - id: format
        type: u1
      - id: coding
        type: u1
      - id: stored_bytes
        type: u48
      - id: ext_bytes
        type: u2
      - id: raw_bytes
        type: u48
      - id: zeros
        type: u2
        valid: 0
      - id: stored_hash
        type: u8
      - id: check
        type: u8
      - id: name
        size: name_bytes
        doc: UTF-8 of an IMAGE and an ALIAS; types that are not known may have anything here
      - id: extensions
        type: extensions
        size: ext_bytes
        if: type == frame_type::image or type == frame_type::alias
      - id: extensions_of_others
        size: ext_bytes
        if: not (type == frame_type::image or type == frame_type::alias)
      - id: header_padding
        size: header_units * 8 - 48 - name_bytes - ext_bytes
      - id: payload
        size: stored_bytes.value
        type:
          switch-on: type
          cases:
            frame_type::alias: alias
            frame_type::run: table
            frame_type::column: table
            frame_type::mask: table
            frame_type::names: table
            frame_type::content: table
            frame_type::values: table
            frame_type::meta: meta
            frame_type::root: root
            frame_type::commit: commit
      - id: padding
        size: (8 - stored_bytes.value % 8) % 8
  extensions:
    seq:
      - id: items
        type: extension
        repeat: eos
  extension:
    seq:
      - id: kind
        type: u2
      - id: num_bytes
        type: u2
      - id: data
        size: num_bytes
  alias:
    seq:
      - id: target
        type: u4
      - id: zeros
        type: u4
        valid: 0
  commit:
    doc: section 4, from offset 48 of the page on
    seq:
      - id: magic
        contents: ["AIMGCMT", 0x0A]
      - id: major
        type: u2
      - id: minor
        type: u2
      - id: zeros_60
        type: u4
        valid: 0
      - id: uuid
        size: 16
      - id: seq
        type: u8
      - id: self_offset
        type: u8
      - id: prev_offset
        type: u8
      - id: prev_chain
        size: 16
      - id: ordinal_count
        type: u8
      - id: listed_count
        type: u8
      - id: root_offset
        type: u8
      - id: root_bytes
        type: u8
      - id: root_hash
        size: 16
      - id: compat
        type: u8
      - id: ro_compat
        type: u8
      - id: incompat
        type: u8
      - id: params
        type: params
      - id: time_ns
        type: u8
      - id: salt
        type: u4
      - id: flags
        type: u4
      - id: message_bytes
        type: u2
        valid:
          max: 254
      - id: message
        type: str
        encoding: UTF-8
        size: message_bytes
      - id: zeros
        size: 254 - message_bytes + 3536
      - id: chain
        size: 16
      - id: seq_again
        type: u8
        valid: seq
      - id: magic_again
        contents: ["AIMGCMT", 0x0A]
    instances:
      sealed:
        value: (flags & 1) != 0
  root:
    doc: section 5
    seq:
      - id: magic
        contents: AIMGROOT
      - id: part_count
        type: u4
        valid:
          max: 65536
      - id: column_count
        type: u4
        valid:
          max: 1024
      - id: coding_count
        type: u4
        valid:
          max: 254
      - id: zeros_20
        type: u4
        valid: 0
      - id: ordinal_count
        type: u8
      - id: listed_count
        type: u8
      - id: dead_count
        type: u8
      - id: live_stored_bytes
        type: u8
      - id: meta_offset
        type: u8
      - id: meta_bytes
        type: u8
      - id: meta_hash
        size: 16
      - id: zeros_88
        type: u8
        valid: 0
      - id: parts
        type: part
        repeat: expr
        repeat-expr: part_count
      - id: columns
        type: column
        repeat: expr
        repeat-expr: column_count
      - id: codings
        type: coding
        repeat: expr
        repeat-expr: coding_count
  part:
    doc: section 5.1
    seq:
      - id: type
        type: u1
        enum: frame_type
      - id: zero
        type: u1
        valid: 0
      - id: section_count
        type: u2
      - id: column
        type: u4
      - id: first
        type: u4
      - id: count
        type: u4
      - id: offset
        type: u8
      - id: num_bytes
        type: u8
      - id: tail_hash
        size: 16
      - id: dead
        type: u4
      - id: attached
        type: u4
      - id: zeros
        type: u8
        valid: 0
    instances:
      frame:
        io: _root._io
        pos: offset
        type: frame
        doc: the one that the part names
  column:
    doc: section 5.2
    seq:
      - id: id
        type: u4
      - id: type
        type: u1
        enum: column_type
      - id: flags
        type: u1
      - id: name_bytes
        type: u2
      - id: width
        type: u4
      - id: dictionary_count
        type: u4
      - id: name
        type: str
        encoding: UTF-8
        size: name_bytes
      - id: padding
        size: (8 - name_bytes % 8) % 8
    instances:
      is_list:
        value: (flags & 1) != 0
  coding:
    doc: section 7
    seq:
      - id: number
        type: u1
      - id: codec
        type: u1
      - id: zeros
        size: 6
      - id: offset
        type: u8
      - id: num_bytes
        type: u8
      - id: hash
        size: 16
  table:
    doc: section 6; its description stands at its end
    instances:
      footer:
        pos: _io.size - 64
        type: footer
      descriptors:
        pos: _io.size - 64 - 48 * footer.section_count
        type: descriptor
        repeat: expr
        repeat-expr: footer.section_count
      block_hashes:
        pos: footer.data_bytes
        size: 16
        repeat: expr
        repeat-expr: (footer.data_bytes + 4095) / 4096
  footer:
    seq:
      - id: magic
        contents: AIMGTABL
      - id: type
        type: u1
        enum: frame_type
      - id: zero
        type: u1
        valid: 0
      - id: section_count
        type: u2
      - id: column
        type: u4
      - id: first
        type: u4
      - id: count
        type: u4
      - id: data_bytes
        type: u8
      - id: list_hash
        size: 16
      - id: zeros
        size: 16
  descriptor:
    seq:
      - id: kind
        type: u1
        enum: section_kind
      - id: codec
        type: u1
      - id: element_bytes
        type: u2
      - id: column
        type: u4
      - id: offset
        type: u8
      - id: num_bytes
        type: u8
      - id: count
        type: u8
      - id: raw_bytes
        type: u8
      - id: extra
        type: u8
    instances:
      section:
        pos: offset
        size: num_bytes
        type:
          switch-on: kind
          cases:
            section_kind::entries: entries
            section_kind::name_text: groups(extra, codec)
            section_kind::groups: groups(extra, codec)
            section_kind::rank: ranks
            section_kind::name_slots: name_slots
            section_kind::content_slots: content_slots
        doc: the bytes of VALUES and of bitmaps
  entries:
    seq:
      - id: items
        type: entry
        repeat: eos
  entry:
    doc: section 6.3
    seq:
      - id: loc
        type: u8
      - id: stored_bytes
        type: u48
      - id: format
        type: u1
      - id: coding
        type: u1
      - id: hash
        size: 16
    instances:
      offset:
        value: (loc % 0x1000000000000) * 8
      header_units:
        value: (loc >> 48) & 0xFF
      is_aliased:
        value: ((loc >> 56) & 1) != 0
      is_attachment:
        value: ((loc >> 57) & 1) != 0
  groups:
    doc: section 6.1
    params:
      - id: count
        type: u8
      - id: codec
        type: u1
    instances:
      items:
        pos: _io.size - 16 * count
        type: group(_index)
        repeat: expr
        repeat-expr: count
  group:
    params:
      - id: index
        type: s4
    seq:
      - id: end
        type: u8
      - id: value_end
        type: u4
      - id: raw_bytes
        type: u4
    instances:
      begin:
        value: 'index == 0 ? 0 : _parent.items[index - 1].end'
      first:
        value: 'index == 0 ? 0 : _parent.items[index - 1].value_end'
      raw:
        pos: begin
        size: end - begin
        type: raw_group(value_end - first)
        if: _parent.codec == 0
      coded:
        pos: begin
        size: end - begin
        if: _parent.codec != 0
        doc: one zstd frame, of a raw_group
  raw_group:
    params:
      - id: count
        type: u4
    seq:
      - id: lengths
        type: u4
        repeat: expr
        repeat-expr: count
      - id: values
        size: lengths[_index]
        repeat: expr
        repeat-expr: count
  ranks:
    seq:
      - id: items
        type: u4
        repeat: eos
  name_slots:
    seq:
      - id: items
        type: name_slot
        repeat: eos
  name_slot:
    doc: section 6.2
    seq:
      - id: key
        type: u8
      - id: ordinal
        type: u4
      - id: loc_low
        type: u4
    instances:
      hash40:
        value: (key >> 24) & 0xFFFFFFFFFF
      lenclass:
        value: (key >> 16) & 0xFF
      offset:
        value: (((key & 0xFFFF) << 32) + loc_low) * 8
  content_slots:
    seq:
      - id: items
        type: content_slot
        repeat: eos
  content_slot:
    doc: section 6.4
    seq:
      - id: hash32
        type: u4
      - id: ordinal_plus_1
        type: u4
  meta:
    doc: section 9
    seq:
      - id: count
        type: u4
      - id: zeros
        type: u4
        valid: 0
      - id: pairs
        type: pair
        repeat: expr
        repeat-expr: count
  pair:
    doc: section 9; a key has no control characters
    seq:
      - id: key_bytes
        type: u2
      - id: zeros
        type: u2
        valid: 0
      - id: value_bytes
        type: u4
      - id: key
        type: str
        encoding: UTF-8
        size: key_bytes
      - id: value
        type: str
        encoding: UTF-8
        size: value_bytes
