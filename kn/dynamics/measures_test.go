package dynamics_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/knowledge-neurons/gonb-kn/kn/dynamics"
)

func random(rng *rand.Rand, rows, columns int) *mat.Dense {
	data := make([]float64, rows*columns)
	for i := range data {
		data[i] = rng.NormFloat64()
	}
	return mat.NewDense(rows, columns, data)
}

func distribution(rng *rand.Rand, n int) []float64 {
	p, sum := make([]float64, n), 0.0
	for i := range p {
		p[i] = rng.ExpFloat64()
		sum += p[i]
	}
	for i := range p {
		p[i] /= sum
	}
	return p
}

func TestJSDivergenceClosedForms(t *testing.T) {
	h := func(p ...float64) (sum float64) { // entropy
		for _, x := range p {
			sum -= x * math.Log(x)
		}
		return sum
	}
	for _, c := range []struct {
		p, q []float64
		want float64
	}{
		{[]float64{1, 0}, []float64{0, 1}, math.Ln2},
		{[]float64{0.5, 0.5}, []float64{0.5, 0.5}, 0},
		{[]float64{1, 0}, []float64{0.5, 0.5}, h(0.75, 0.25) - h(0.5, 0.5)/2},
		{[]float64{0.2, 0.8}, []float64{0.6, 0.4}, h(0.4, 0.6) - h(0.2, 0.8)/2 - h(0.6, 0.4)/2},
	} {
		if got := dynamics.JSDivergence(c.p, c.q); math.Abs(got-c.want) > 1e-15 {
			t.Errorf("%v and %v: %v, want %v", c.p, c.q, got, c.want)
		}
	}
}

// TestJSDivergenceProperties: bounds, symmetry, and that its square root is a metric.
func TestJSDivergenceProperties(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 200 {
		p, q, r := distribution(rng, 6), distribution(rng, 6), distribution(rng, 6)
		pq, qr, pr := dynamics.JSDivergence(p, q), dynamics.JSDivergence(q, r), dynamics.JSDivergence(p, r)
		if pq < 0 || pq > math.Ln2 || pq != dynamics.JSDivergence(q, p) || dynamics.JSDivergence(p, p) != 0 {
			t.Fatalf("%v and %v: %v", p, q, pq)
		}
		if math.Sqrt(pr) > math.Sqrt(pq)+math.Sqrt(qr)+1e-12 {
			t.Fatalf("no metric: %v > %v + %v", math.Sqrt(pr), math.Sqrt(pq), math.Sqrt(qr))
		}
	}
}

func svcca(t *testing.T, x, y mat.Matrix) float64 {
	t.Helper()
	d, err := dynamics.SVCCADistance(x, y)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func cka(t *testing.T, x, y mat.Matrix) float64 {
	t.Helper()
	d, err := dynamics.CKADistance(x, y)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// reference is the distance by singular value decompositions of the samples
// themselves, not of their covariances.
func reference(x, y *mat.Dense) float64 {
	left := func(a *mat.Dense) mat.Matrix {
		c := mat.DenseCopyOf(a)
		rows, columns := c.Dims()
		for j := range columns {
			mean := mat.Sum(c.ColView(j)) / float64(rows)
			for i := range rows {
				c.Set(i, j, c.At(i, j)-mean)
			}
		}
		var svd mat.SVD
		svd.Factorize(c, mat.SVDThin)
		var u mat.Dense
		svd.UTo(&u)
		s, total, k := svd.Values(nil), 0.0, 0
		for _, v := range s {
			total += v
		}
		for sum := 0.0; sum < 0.99*total; k++ {
			sum += s[k]
		}
		return u.Slice(0, rows, 0, k)
	}
	var product mat.Dense
	product.Mul(left(x).T(), left(y))
	var svd mat.SVD
	svd.Factorize(&product, mat.SVDNone)
	sum := 0.0
	for _, rho := range svd.Values(nil) {
		sum += rho
	}
	return 1 - sum/float64(len(svd.Values(nil)))
}

// noisy is x with noise, and with columns of very different size.
func noisy(rng *rand.Rand, x *mat.Dense) *mat.Dense {
	rows, columns := x.Dims()
	y := random(rng, rows, columns)
	y.Add(y, x)
	y.Apply(func(_, j int, v float64) float64 { return v/float64(1+j*j) + 100 }, y)
	return y
}

func TestSVCCAEqualsDecompositionOfSamples(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 1))
	for range 5 {
		x := random(rng, 60, 12)
		y := noisy(rng, x)
		if got, want := svcca(t, x, y), reference(x, y); math.Abs(got-want) > 1e-9 || want < 0.01 {
			t.Errorf("%v, want %v", got, want)
		}
	}
}

// TestInvariance: what is the same but for an orthogonal map, scaling and a
// shift is at distance 0, and such maps leave other distances as they are.
func TestInvariance(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 1))
	x := random(rng, 80, 10)
	y := noisy(rng, x)
	var qr mat.QR
	qr.Factorize(random(rng, 10, 10))
	var q, turned mat.Dense
	qr.QTo(&q)
	turned.Mul(x, &q)
	turned.Apply(func(_, j int, v float64) float64 { return 3*v + float64(j) }, &turned)
	for name, distance := range map[string]func(*testing.T, mat.Matrix, mat.Matrix) float64{"SVCCA": svcca, "CKA": cka} {
		if d := distance(t, x, &turned); d > 1e-9 {
			t.Errorf("%s: a turned copy is at distance %v", name, d)
		}
		d := distance(t, x, y)
		if other := distance(t, &turned, y); math.Abs(d-other) > 1e-9 || !(d > 0 && d < 1) {
			t.Errorf("%s: %v, turned %v", name, d, other)
		}
		if back := distance(t, y, x); math.Abs(d-back) > 1e-9 {
			t.Errorf("%s: %v, back %v", name, d, back)
		}
	}
}

// TestClosedForms: samples that have nothing in common, and one direction of two.
func TestClosedForms(t *testing.T) {
	// Columns of a Hadamard matrix: centred, orthogonal, of one length.
	a, b, c := []float64{1, 1, -1, -1}, []float64{1, -1, 1, -1}, []float64{1, -1, -1, 1}
	columns := func(all ...[]float64) *mat.Dense {
		m := mat.NewDense(4, len(all), nil)
		for j, column := range all {
			m.SetCol(j, column)
		}
		return m
	}
	for _, w := range []struct {
		x, y       *mat.Dense
		svcca, cka float64
	}{
		{columns(a), columns(b), 1, 1},
		{columns(a, b), columns(b, c), 0.5, 0.5},
		{columns(a), columns(a, b), 0, 1 - 1/math.Sqrt2},
	} {
		if got := svcca(t, w.x, w.y); math.Abs(got-w.svcca) > 1e-12 {
			t.Errorf("SVCCA: %v, want %v", got, w.svcca)
		}
		if got := cka(t, w.x, w.y); math.Abs(got-w.cka) > 1e-12 {
			t.Errorf("CKA: %v, want %v", got, w.cka)
		}
	}
	flat := mat.NewDense(4, 1, []float64{2, 2, 2, 2})
	if _, err := dynamics.SVCCADistance(flat, columns(a)); err == nil {
		t.Error("samples that are all the same passed")
	}
	if _, err := dynamics.CKADistance(columns(a), flat); err == nil || errors.Unwrap(err) == nil {
		t.Errorf("samples that are all the same passed: %v", err)
	}
	if _, err := dynamics.SVCCADistance(columns(a), mat.NewDense(3, 1, nil)); err == nil {
		t.Error("other numbers of samples passed")
	}
}
