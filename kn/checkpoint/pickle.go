package checkpoint

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// A pickle is a program for a stack machine. This machine knows the
// instructions that torch.save emits for a state dictionary, and of the
// functions that a pickle may name and call only those in [callables]: it runs
// nothing, and a pickle that asks for more is an error. gopickle v0.3.0 is not
// used because it believes the lengths in the file (a few bytes make it
// allocate any amount, which ends the process), panics on some instructions,
// takes any global for a class, and copies every storage through a buffer of
// 512 elements.

// Values on the stack besides string, int64, float64, bool and nil.
type (
	tuple  []any
	list   struct{ items []any }
	dict   struct{ keys, values []any }
	global struct{ module, name string }
)

func (g global) String() string { return g.module + "." + g.name }

// Limits far above what a state dictionary needs.
const (
	maxString = 1 << 16
	maxStack  = 1 << 20
)

// machine unpickles one program.
type machine struct {
	in         *input
	stack      []any
	marks      []int // stack heights
	memo       map[int64]any
	persistent func(id tuple) (any, error)
}

// input counts what it reads.
type input struct {
	r *bufio.Reader
	n int64
}

func (in *input) bytes(n uint64) ([]byte, error) {
	if n > maxString {
		return nil, fmt.Errorf("a text of %d bytes; %w", n, errAgain)
	}
	buf := make([]byte, n)
	got, err := io.ReadFull(in.r, buf)
	in.n += int64(got)
	if err != nil {
		return nil, fmt.Errorf("the pickle ends too early; %w", errAgain)
	}
	return buf, nil
}

// uint reads a little-endian number of n bytes.
func (in *input) uint(n uint64) (uint64, error) {
	buf, err := in.bytes(n)
	var wide [8]byte
	copy(wide[:], buf)
	return binary.LittleEndian.Uint64(wide[:]), err
}

// line reads up to the end of the line, which is left out.
func (in *input) line() (string, error) {
	var out []byte
	for {
		b, err := in.bytes(1)
		if err != nil {
			return "", err
		}
		if b[0] == '\n' {
			return string(out), nil
		}
		if out = append(out, b[0]); len(out) > maxString {
			return "", fmt.Errorf("a line without end; %w", errAgain)
		}
	}
}

// unpickle runs one pickle and returns its result.
func unpickle(in *input, persistent func(tuple) (any, error)) (any, error) {
	m := &machine{in: in, memo: map[int64]any{}, persistent: persistent}
	for {
		op, err := in.uint(1)
		if err != nil {
			return nil, err
		}
		if op == '.' {
			return m.pop()
		}
		if err := m.step(byte(op)); err != nil {
			return nil, err
		}
		if len(m.stack) > maxStack || len(m.marks) > maxStack || len(m.memo) > maxStack {
			return nil, fmt.Errorf("the pickle holds more than a model's state; %w", errAgain)
		}
	}
}

func (m *machine) push(v any) error {
	m.stack = append(m.stack, v)
	return nil
}

var errStack = errors.New("the pickle takes what is not there; " + errAgain.Error())

func (m *machine) pop() (any, error) {
	bottom := 0
	if len(m.marks) > 0 {
		bottom = m.marks[len(m.marks)-1]
	}
	if len(m.stack) <= bottom {
		return nil, errStack
	}
	v := m.stack[len(m.stack)-1]
	m.stack = m.stack[:len(m.stack)-1]
	return v, nil
}

// take pops n values, the topmost last.
func (m *machine) take(n int) (tuple, error) {
	out := make(tuple, n)
	for i := n - 1; i >= 0; i-- {
		var err error
		if out[i], err = m.pop(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// takeMark pops everything above the topmost mark, and the mark.
func (m *machine) takeMark() (tuple, error) {
	if len(m.marks) == 0 {
		return nil, errStack
	}
	mark := m.marks[len(m.marks)-1]
	m.marks = m.marks[:len(m.marks)-1]
	out := append(tuple(nil), m.stack[mark:]...)
	m.stack = m.stack[:mark]
	return out, nil
}

// step carries out one instruction.
func (m *machine) step(op byte) error {
	switch op {
	case '(': // MARK
		m.marks = append(m.marks, len(m.stack))
		return nil
	case 0x80: // PROTO
		_, err := m.in.uint(1)
		return err
	case 0x95: // FRAME
		_, err := m.in.uint(8)
		return err
	case '0': // POP
		_, err := m.pop()
		return err
	case 'N':
		return m.push(nil)
	case 0x88, 0x89: // NEWTRUE, NEWFALSE
		return m.push(op == 0x88)
	case '}':
		return m.push(&dict{})
	case ']':
		return m.push(&list{})
	case ')':
		return m.push(tuple{})
	case 't', 0x85, 0x86, 0x87:
		return m.makeTuple(op)
	case 'J', 'K', 'M', 'G', 0x8a: // numbers
		return m.number(op)
	case 'X', 'U', 'T', 0x8c: // texts
		return m.text(op)
	case 'q', 'r', 0x94, 'h', 'j': // memo
		return m.remember(op)
	case 'c', 0x93: // GLOBAL, STACK_GLOBAL
		return m.global(op)
	case 'Q', 'R', 'b': // BINPERSID, REDUCE, BUILD
		return m.object(op)
	case 'a', 'e', 's', 'u': // APPEND, APPENDS, SETITEM, SETITEMS
		return m.fill(op)
	}
	return fmt.Errorf("instruction %#x is not one that a model's state needs: the file is damaged or wants to run code; get the model as model.safetensors", op)
}

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
