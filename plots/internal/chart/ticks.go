package chart

import (
	"fmt"
	"math"
	"strconv"

	"gonum.org/v1/plot"
)

// NiceTicks puts up to about seven labels at round values: multiples of 1, 2 or
// 5 times a power of ten.
type NiceTicks struct {
	Whole bool // only whole numbers
	Few   bool // about half as many, for panels side by side
}

// Ticks returns the ticks between low and high.
func (n NiceTicks) Ticks(low, high float64) []plot.Tick {
	step := NiceStep((high - low) / 7)
	if n.Few {
		step = NiceStep((high - low) / 4)
	}
	if n.Whole {
		step = math.Max(1, step)
	}
	digits := max(0, -int(math.Floor(math.Log10(step)+1e-9)))
	var ticks []plot.Tick
	first, last := math.Ceil(low/step-1e-9), math.Floor(high/step+1e-9)
	for k := first; k <= last; k++ {
		ticks = append(ticks, plot.Tick{Value: k * step, Label: number(k*step, digits)})
	}
	return ticks
}

// NiceStep returns the smallest of 1, 2 and 5 times a power of ten that is at
// least x.
func NiceStep(x float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(x)))
	for _, m := range []float64{1, 2, 5} {
		if m*power >= x*(1-1e-9) {
			return m * power
		}
	}
	return 10 * power
}

// number writes v with the digits, or in powers of ten where that is shorter.
func number(v float64, digits int) string {
	if v == 0 {
		return "0"
	}
	s := strconv.FormatFloat(v, 'f', digits, 64)
	if digits > 4 || math.Abs(v) >= 1e6 {
		s = strconv.FormatFloat(v, 'g', 3, 64)
	}
	return Minus(s)
}

// Minus gives a negative number a minus sign in place of its hyphen.
func Minus(s string) string {
	if s[0] == '-' {
		return "−" + s[1:]
	}
	return s
}

// Short writes a probability or a score with three significant digits.
func Short(v float64) string {
	if v != 0 && math.Abs(v) < 1e-3 {
		return strconv.FormatFloat(v, 'e', 1, 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

// AtLeast writes a bound with two significant digits, rounded up.
func AtLeast(v float64) string {
	if v <= 0 {
		return "0"
	}
	unit := math.Pow(10, math.Floor(math.Log10(v))-1)
	return Short(math.Ceil(v/unit*(1-1e-9)) * unit)
}

// Indices labels the whole numbers 0..n-1, every k-th where there are many.
func Indices(n, atMost, from int) []plot.Tick {
	every := int(math.Max(1, NiceStep(float64(n)/float64(atMost))))
	var ticks []plot.Tick
	for i := 0; i < n; i += every {
		ticks = append(ticks, plot.Tick{Value: float64(i), Label: strconv.Itoa(i + from)})
	}
	return ticks
}

// Headroom returns the end of an axis that starts at 0 and must show high:
// 1 for a probability beyond a half, else a little more than high.
func Headroom(high float64) float64 {
	switch {
	case high <= 0:
		return 1
	case high > 0.5 && high <= 1:
		return 1
	}
	return 1.1 * high
}

// powerOfTen writes one in the form of all that stand beside it. The font has
// no raised minus sign.
func powerOfTen(e int) string {
	if 0 <= e && e <= 3 {
		return strconv.Itoa(int(math.Pow(10, float64(e))))
	}
	return Minus(fmt.Sprintf("1e%d", e))
}

// LogTicks labels an axis of logarithms to base 10 by powers of ten; where
// there are few, 2 and 5 times each as well, and where there are many, fewer.
// (gonum/plot's own logarithmic scale puts an axis's label out of its middle.)
type LogTicks struct{}

// Ticks returns the ticks between the logarithms low and high.
func (LogTicks) Ticks(low, high float64) []plot.Tick {
	multiples, every := []float64{1}, max(1, int(math.Ceil((high-low)/8)))
	if high-low < 3 {
		multiples = []float64{1, 2, 5}
	}
	// All labels have exponents if one would.
	label := func(v float64, _ int) string { return strconv.FormatFloat(v, 'g', 6, 64) }
	if low < -4.5 || high > 5.5 {
		label = func(_ float64, e int) string { return powerOfTen(e) }
	}
	var ticks []plot.Tick
	for e := int(math.Floor(low)); e <= int(math.Ceil(high)); e++ {
		if e%every != 0 {
			continue
		}
		for _, m := range multiples {
			v := m * math.Pow(10, float64(e))
			if at := math.Log10(v); at >= low-1e-9 && at <= high+1e-9 {
				ticks = append(ticks, plot.Tick{Value: at, Label: label(v, e)})
			}
		}
	}
	return ticks
}
