package checkpoint

import (
	"encoding/binary"
	"math"
)

func (m *machine) makeTuple(op byte) (err error) {
	var t tuple
	if op == 't' {
		t, err = m.takeMark()
	} else {
		t, err = m.take(int(op - 0x84))
	}
	if err != nil {
		return err
	}
	return m.push(t)
}

func (m *machine) number(op byte) error {
	width := map[byte]uint64{'J': 4, 'K': 1, 'M': 2, 'G': 8, 0x8a: 1}[op]
	v, err := m.in.uint(width)
	if err != nil {
		return err
	}
	switch op {
	case 'J':
		return m.push(int64(int32(v)))
	case 'G': // big endian
		return m.push(math.Float64frombits(binary.BigEndian.Uint64(binary.LittleEndian.AppendUint64(nil, v))))
	case 0x8a: // LONG1: v bytes, two's complement
		return m.long(v)
	}
	return m.push(int64(v))
}

// long pushes an integer of n bytes; those that int64 cannot hold as text.
func (m *machine) long(n uint64) error {
	buf, err := m.in.bytes(n)
	if err != nil {
		return err
	}
	if n > 8 {
		return m.push(string(buf))
	}
	var wide [8]byte
	copy(wide[:], buf)
	v := int64(binary.LittleEndian.Uint64(wide[:]))
	if shift := 64 - 8*n; n > 0 {
		v = v << shift >> shift
	}
	return m.push(v)
}

func (m *machine) text(op byte) error {
	width := uint64(4)
	if op == 'U' || op == 0x8c {
		width = 1
	}
	n, err := m.in.uint(width)
	if err != nil {
		return err
	}
	s, err := m.in.bytes(n)
	if err != nil {
		return err
	}
	return m.push(string(s))
}

func (m *machine) remember(op byte) error {
	key, err := int64(len(m.memo)), error(nil)
	if width := map[byte]uint64{'q': 1, 'h': 1, 'r': 4, 'j': 4}[op]; width > 0 {
		var k uint64
		k, err = m.in.uint(width)
		key = int64(k)
	}
	if err != nil {
		return err
	}
	if op == 'h' || op == 'j' {
		v, ok := m.memo[key]
		if !ok {
			return errStack
		}
		return m.push(v)
	}
	top, err := m.pop()
	if err != nil {
		return err
	}
	m.memo[key] = top
	return m.push(top)
}
