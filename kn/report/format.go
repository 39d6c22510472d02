package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Format says how a number is printed. The zero value prints whole numbers.
type Format struct {
	Digits int     // after the point
	Scale  float64 // multiplies the number; 0: 1
	Unit   string  // behind it
	Signed bool    // a plus before positive numbers
	// Significant is the number of digits that count; it replaces Digits.
	Significant int
}

// Count prints whole numbers, thousands apart: 27,738.
var Count = Format{}

// Decimals prints so many digits after the point.
func Decimals(digits int) Format { return Format{Digits: digits} }

// Percent prints a share: 0.123 as 12.3 %.
func Percent(digits int) Format { return Format{Digits: digits, Scale: 100, Unit: " %"} }

// Change prints a relative change: 0.123 as +12.3 %.
func Change(digits int) Format { return Format{Digits: digits, Scale: 100, Unit: " %", Signed: true} }

// Points prints a difference of shares in percentage points: 0.123 as +12.3 points.
func Points(digits int) Format {
	return Format{Digits: digits, Scale: 100, Unit: " points", Signed: true}
}

// Significant prints so many digits that count: 0.00123.
func Significant(digits int) Format { return Format{Significant: digits} }

func (f Format) scale() float64 {
	if f.Scale == 0 {
		return 1
	}
	return f.Scale
}

// Print prints a number.
func (f Format) Print(x float64) string {
	x *= f.scale()
	digits := f.Digits
	if f.Significant > 0 {
		digits = 0
		if x != 0 {
			digits = max(0, f.Significant-1-int(math.Floor(math.Log10(math.Abs(x)))))
		}
	}
	text := strconv.FormatFloat(math.Abs(x), 'f', digits, 64)
	zero := strings.Trim(text, "0.") == ""
	text = thousands(text)
	switch {
	case zero:
	case x < 0:
		text = "−" + text
	case f.Signed:
		text = "+" + text
	}
	return text + f.Unit
}

// span prints a number of a result file.
func (f Format) span(n Number) Span {
	n.Scale = f.scale()
	return Span{Text: f.Print(n.Value), Number: &n}
}

// text prints a number of a result file, or an interval with its ends:
// 4.92 [4.66, 5.19].
func (f Format) text(value any) (Text, error) {
	switch v := value.(type) {
	case Number:
		return Text{f.span(v)}, nil
	case Object:
		if _, err := v.Interval(); err == nil {
			end := f
			end.Unit = ""
			low, high := end.span(v["low"].(Number)), end.span(v["high"].(Number))
			low.Style, high.Style = Faint, Faint
			return Text{f.span(v["mean"].(Number)), Small(" ["), low, Small(", "), high, Small("]")}, nil
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
