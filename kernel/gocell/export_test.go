package gocell

// CommandCount counts the commands that GoNB runs: those with text.
func (c *Cell) CommandCount() (n int) {
	for i := range c.scan.lines {
		if text, ok := c.command(i); ok && len(text) > 1 {
			n++
		}
	}
	return n
}
