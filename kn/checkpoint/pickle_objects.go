package checkpoint

import "fmt"

// storageTypes are the classes of torch's storages.
var storageTypes = map[global]dtype{
	{"torch", "FloatStorage"}: f32, {"torch", "HalfStorage"}: f16, {"torch", "BFloat16Storage"}: bf16, {"torch", "DoubleStorage"}: f64,
	{"torch", "LongStorage"}: "I64", {"torch", "IntStorage"}: "I32", {"torch", "ShortStorage"}: "I16", {"torch", "CharStorage"}: "I8",
	{"torch", "ByteStorage"}: "U8", {"torch", "BoolStorage"}: "BOOL",
}

// callables are the functions that a pickle may call.
var callables = map[global]func(args tuple) (any, error){
	{"collections", "OrderedDict"}:         makeDict,
	{"torch._utils", "_rebuild_tensor"}:    makeTensor,
	{"torch._utils", "_rebuild_tensor_v2"}: makeTensor,
	{"torch._utils", "_rebuild_parameter"}: func(args tuple) (any, error) {
		if len(args) == 0 {
			return nil, errStack
		}
		return args[0], nil
	},
}

// storage is a run of numbers in the file, named by a key.
type storage struct {
	dtype dtype
	key   string
	size  int64 // elements
}

// view is a tensor: a window on a storage. Offset and strides are in elements.
type view struct {
	of             storage
	offset         int64
	shape, strides []int
}

// global pushes a class or function, if it is one that tensors are made of.
func (m *machine) global(op byte) error {
	var g global
	if op == 'c' {
		var err error
		if g.module, err = m.in.line(); err != nil {
			return err
		}
		if g.name, err = m.in.line(); err != nil {
			return err
		}
	} else {
		names, err := m.take(2)
		if err != nil {
			return err
		}
		var ok1, ok2 bool
		g.module, ok1 = names[0].(string)
		g.name, ok2 = names[1].(string)
		if !ok1 || !ok2 {
			return errStack
		}
	}
	if _, ok := storageTypes[g]; ok {
		return m.push(g)
	}
	if _, ok := callables[g]; ok {
		return m.push(g)
	}
	return fmt.Errorf("the pickle asks for %q, which no tensor needs: loading it elsewhere could run code; "+
		"get the model as model.safetensors, or from a source that you trust", g.String())
}

// object carries out the instructions that make objects.
func (m *machine) object(op byte) error {
	if op == 'Q' {
		id, err := m.pop()
		if err != nil {
			return err
		}
		t, _ := id.(tuple)
		v, err := m.persistent(t)
		if err != nil {
			return err
		}
		return m.push(v)
	}
	pair, err := m.take(2)
	if err != nil {
		return err
	}
	if op == 'b' { // BUILD: attributes, such as a dictionary's _metadata, are not needed
		if _, ok := pair[0].(*dict); !ok {
			return fmt.Errorf("the pickle sets attributes of %T; get the model as model.safetensors", pair[0])
		}
		return m.push(pair[0])
	}
	g, _ := pair[0].(global)
	args, ok := pair[1].(tuple)
	call := callables[g]
	if call == nil || !ok {
		return fmt.Errorf("the pickle calls %v, which no tensor needs; get the model as model.safetensors", pair[0])
	}
	v, err := call(args)
	if err != nil {
		return fmt.Errorf("%v: %w", g, err)
	}
	return m.push(v)
}

// fill adds to the list or dictionary below the values.
func (m *machine) fill(op byte) error {
	var items tuple
	var err error
	switch op {
	case 'a':
		items, err = m.take(1)
	case 's':
		items, err = m.take(2)
	default:
		items, err = m.takeMark()
	}
	if err != nil {
		return err
	}
	target, err := m.pop()
	if err != nil {
		return err
	}
	switch target := target.(type) {
	case *list:
		if op != 'a' && op != 'e' {
			return errStack
		}
		target.items = append(target.items, items...)
	case *dict:
		if op != 's' && op != 'u' || len(items)%2 != 0 {
			return errStack
		}
		for i := 0; i < len(items); i += 2 {
			target.keys, target.values = append(target.keys, items[i]), append(target.values, items[i+1])
		}
	default:
		return errStack
	}
	return m.push(target)
}

func makeDict(args tuple) (any, error) {
	if len(args) != 0 {
		return nil, fmt.Errorf("%d arguments, expected none", len(args))
	}
	return &dict{}, nil
}

// makeTensor reads (storage, offset, shape, strides, ...).
func makeTensor(args tuple) (any, error) {
	if len(args) < 4 {
		return nil, fmt.Errorf("%d arguments are too few", len(args))
	}
	s, ok1 := args[0].(storage)
	offset, ok2 := args[1].(int64)
	shape, ok3 := ints(args[2])
	strides, ok4 := ints(args[3])
	if !ok1 || !ok2 || !ok3 || !ok4 || len(shape) != len(strides) {
		return nil, fmt.Errorf("its arguments are not a tensor's; %w", errAgain)
	}
	return view{s, offset, shape, strides}, nil
}

func ints(v any) ([]int, bool) {
	t, ok := v.(tuple)
	out := make([]int, len(t))
	for i, x := range t {
		n, isInt := x.(int64)
		out[i], ok = int(n), ok && isInt
	}
	return out, ok
}
