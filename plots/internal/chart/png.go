package chart

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"gonum.org/v1/plot/vg/vgimg"
)

// pngHead is the length of a PNG's signature and header chunk.
const pngHead = 8 + 12 + 13

// PNG returns the figure as a PNG at the resolution of its options, with
// title, description and provenance in text chunks.
func (f *Figure) PNG() ([]byte, error) {
	s := f.d.Options.Size
	canvas := vgimg.NewWith(vgimg.UseWH(s.Width, s.Height), vgimg.UseDPI(f.d.Options.DPI))
	if err := f.d.Draw(boxed{canvas}); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if _, err := (vgimg.PngCanvas{Canvas: canvas}).WriteTo(&b); err != nil {
		return nil, fmt.Errorf("plots: cannot write the %s as PNG: %w", f.d.chart, err)
	}
	provenance, err := f.Provenance().brief().json()
	if err != nil {
		return nil, err
	}
	png := b.Bytes()
	result := bytes.Clone(png[:pngHead])
	// pHYs: dots a metre, so that programs know the figure's true size.
	dots := uint32(float64(f.d.Options.DPI)/0.0254 + 0.5)
	size := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, dots), dots)
	result = appendChunk(result, "pHYs", append(size, 1))
	for _, text := range [][2]string{
		{"Title", f.d.Title}, {"Description", f.d.Description}, {"provenance", provenance},
	} {
		// keyword, not compressed, no language, no translated keyword
		result = appendChunk(result, "iTXt", []byte(text[0]+"\x00\x00\x00\x00\x00"+text[1]))
	}
	return append(result, png[pngHead:]...), nil
}

// appendChunk appends a chunk: length, type, data, checksum of the last two.
func appendChunk(png []byte, kind string, data []byte) []byte {
	png = binary.BigEndian.AppendUint32(png, uint32(len(data)))
	start := len(png)
	png = append(append(png, kind...), data...)
	return binary.BigEndian.AppendUint32(png, crc32.ChecksumIEEE(png[start:]))
}
