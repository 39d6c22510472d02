package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// format says how a number is printed. The zero value prints whole numbers,
// thousands apart: 27,738.
type format struct {
	digits int     // after the point
	factor float64 // multiplies the number; 0: 1
	unit   string  // behind it
	signed bool    // a plus before positive numbers
	// significant is the number of digits that count; it replaces digits.
	significant int
}

func (f format) scale() float64 {
	if f.factor == 0 {
		return 1
	}
	return f.factor
}

// print prints a number.
func (f format) print(x float64) string {
	x *= f.scale()
	digits := f.digits
	if f.significant > 0 {
		digits = 0
		if x != 0 {
			digits = max(0, f.significant-1-int(math.Floor(math.Log10(math.Abs(x)))))
		}
	}
	text := strconv.FormatFloat(math.Abs(x), 'f', digits, 64)
	zero := strings.Trim(text, "0.") == ""
	text = thousands(text)
	switch {
	case zero:
	case x < 0:
		text = "−" + text
	case f.signed:
		text = "+" + text
	}
	return text + f.unit
}

// span prints a number of a result file.
func (f format) span(n Number) span {
	n.Scale = f.scale()
	return span{Text: f.print(n.Value), Number: &n}
}

// text prints a number of a result file, or an interval with its ends:
// 4.92 [4.66, 5.19].
func (f format) text(value any) (Text, error) {
	switch v := value.(type) {
	case Number:
		return Text{f.span(v)}, nil
	case Object:
		if _, err := v.Interval(); err == nil {
			end := f
			end.unit = ""
			low, high := end.span(v["low"].(Number)), end.span(v["high"].(Number))
			low.Style, high.Style = faint, faint
			mark := func(s string) span { return span{Text: s, Style: faint} }
			return Text{f.span(v["mean"].(Number)), mark(" ["), low, mark(", "), high, mark("]")}, nil
		}
	}
	return nil, fmt.Errorf("%v is neither a number nor an interval of a result file", value)
}

// thousands puts commas into the whole part, from five digits on.
func thousands(text string) string {
	whole, rest, point := strings.Cut(text, ".")
	if len(whole) > 4 {
		for i := len(whole) - 3; i > 0; i -= 3 {
			whole = whole[:i] + "," + whole[i:]
		}
	}
	if point {
		return whole + "." + rest
	}
	return whole
}
