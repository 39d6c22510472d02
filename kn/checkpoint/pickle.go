package checkpoint

import (
	"errors"
	"fmt"
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
