package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// Print writes v as JSON, or what text writes, to out: all of it at the end, so
// that a failure leaves nothing half said.
func Print(out io.Writer, asJSON bool, v any, text func(w *bytes.Buffer)) error {
	var buffer bytes.Buffer
	if asJSON {
		encoder := json.NewEncoder(&buffer)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(v); err != nil {
			return fmt.Errorf("writing the result as JSON: %w", err)
		}
	} else {
		text(&buffer)
	}
	w := bufio.NewWriter(out)
	_, err := buffer.WriteTo(w)
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		return fmt.Errorf("writing the result: %w", err)
	}
	return nil
}
