package kn

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
)

// cachedAttribution is an attribution as it lies in the cache. Its matrices are
// packed, since reading 74,000 numbers as text takes longer than everything
// else that finding a result takes.
type cachedAttribution struct {
	Attribution
	Scores      packed `json:"scores"`
	Activations packed `json:"activations"`
}

func (c *cachedAttribution) attribution() *Attribution {
	c.Attribution.Scores, c.Attribution.Activations = c.Scores, c.Activations
	return &c.Attribution
}

// packed is a matrix that marshals to a string: the number of columns and
// the entries, 8 bytes each, in base64.
type packed [][]float64

// MarshalJSON writes the string.
func (p packed) MarshalJSON() ([]byte, error) {
	columns := 0
	if len(p) > 0 {
		columns = len(p[0])
	}
	data := binary.LittleEndian.AppendUint64(make([]byte, 0, 8*(1+len(p)*columns)), uint64(columns))
	for _, row := range p {
		if len(row) != columns {
			return nil, fmt.Errorf("rows of %d and %d entries", columns, len(row))
		}
		for _, v := range row {
			data = binary.LittleEndian.AppendUint64(data, math.Float64bits(v))
		}
	}
	return json.Marshal(data)
}

// UnmarshalJSON reads the string.
func (p *packed) UnmarshalJSON(text []byte) error {
	var data []byte
	if err := json.Unmarshal(text, &data); err != nil {
		return err
	}
	if len(data) < 8 || len(data)%8 != 0 {
		return fmt.Errorf("a packed matrix of %d bytes", len(data))
	}
	columns, entries := binary.LittleEndian.Uint64(data), uint64(len(data)/8-1)
	if data = data[8:]; columns == 0 && entries > 0 || columns > 0 && entries%columns != 0 {
		return fmt.Errorf("a packed matrix of %d entries in rows of %d", entries, columns)
	}
	for *p = nil; len(data) > 0; {
		row := make([]float64, columns)
		for i := range row {
			row[i], data = math.Float64frombits(binary.LittleEndian.Uint64(data)), data[8:]
		}
		*p = append(*p, row)
	}
	return nil
}
