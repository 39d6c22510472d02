package kn

import (
	"fmt"
	"os"
	"reflect"

	"github.com/janpfeifer/gonb/gonbui"
	"github.com/janpfeifer/gonb/gonbui/protocol"
)

// Show shows results as tables below the cell that is running; outside a
// notebook it prints them.
func Show(results ...Tabler) error {
	for i, r := range results {
		if v := reflect.ValueOf(r); !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
			return fmt.Errorf("kn: result %d is nil; check the error that came with it", i)
		}
		t := r.Table()
		if !gonbui.IsNotebook {
			if _, err := fmt.Fprintln(os.Stdout, t); err != nil {
				return fmt.Errorf("kn: cannot print a table: %w", err)
			}
			continue
		}
		page := t.HTML()
		if own, ok := r.(interface{ HTML() string }); ok { // more than a table
			page = own.HTML()
		}
		gonbui.SendData(&protocol.DisplayData{Data: map[protocol.MIMEType]any{protocol.MIMETextHTML: page, protocol.MIMETextPlain: t.String()}})
	}
	if !gonbui.IsNotebook {
		return nil
	}
	gonbui.Sync() // a cell's program may end right after
	if err := gonbui.Error(); err != nil {
		return fmt.Errorf("kn: the notebook cannot be reached: %w", err)
	}
	return nil
}

// MustShow is [Show] for notebook cells: it panics instead of returning an error.
func MustShow(results ...Tabler) {
	if err := Show(results...); err != nil {
		panic(err)
	}
}
