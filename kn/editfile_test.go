package kn

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestEditsSurviveTheirFile(t *testing.T) {
	m, prompt, answer := small(t)
	n := []Neuron{{0, 3}, {1, 5}}
	edits := []Edit{Suppress(n), Scale(n, 0.1).AtAllPositions(), SetTo([]Neuron{}, 3), Update(n, answer, "Rome").WithLambdas(0, 2.5), Erase(n[:1])}
	file := filepath.Join(t.TempDir(), "edits.json")
	edited := m.MustWith(edits...)
	edited.MustSaveEdits(file)
	got := MustLoadEdits(file)
	if !reflect.DeepEqual(got, edits) {
		t.Errorf("read %+v, want %+v", got, edits)
	}
	if again := m.MustWith(got...).MustPredict(prompt); !reflect.DeepEqual(again, edited.MustPredict(prompt)) {
		t.Error("edits that were read predict something else")
	}
	m.MustSaveEdits(file)
	if got := MustLoadEdits(file); len(got) != 0 {
		t.Errorf("no edits are read as %+v", got)
	}
	data, _ := json.Marshal(Update(n[:1], "Paris", "Rome"))
	if want := `{"op":"update","neurons":[[0,3]],"old":"Paris","new":"Rome","lambda1":1,"lambda2":8}`; string(data) != want {
		t.Errorf("an update is %s, want %s", data, want)
	}
	var short Edit
	if err := json.Unmarshal([]byte(`{"op":"update","neurons":[[0,3]],"old":"Paris","new":"Rome"}`), &short); err != nil || !reflect.DeepEqual(short, Update(n[:1], "Paris", "Rome")) {
		t.Errorf("without lambdas an update is %+v, %v", short, err)
	}
}

func TestBadEditFiles(t *testing.T) {
	for text, words := range map[string]string{
		`{"edits": [{"op": "erase"`: "unexpected EOF",
		`[]`:                        "holds no edits",
		`{}`:                        `no "edits"`,
		`{"edits": [], "edit": 1}`:  "unknown field",
		`{"edits": []} {}`:          "more follows",
		`{"edits": [{"op": "forget", "neurons": [[0, 1]]}]}`:                            `unknown edit "forget"`,
		`{"edits": [{"op": "erase"}]}`:                                                  `no "neurons"`,
		`{"edits": [{"op": "erase", "neurons": [[0]]}]}`:                                "[layer, index]",
		`{"edits": [{"op": "erase", "neurons": [[0, 1]], "value": 2}]}`:                 `has a "value"`,
		`{"edits": [{"op": "scale", "neurons": [[0, 1]]}]}`:                             `no "value"`,
		`{"edits": [{"op": "scale", "neurons": [[0, 1]], "value": 1, "old": "a"}]}`:     `has a "old"`,
		`{"edits": [{"op": "update", "neurons": [[0, 1]], "old": "Paris"}]}`:            `no "new"`,
		`{"edits": [{"op": "erase", "neurons": [[0, 1]], "everywhere": true}]}`:         `has a "everywhere"`,
		`{"edits": [{"op": "scale", "neurons": [[0, 1]], "value": 1, "factor": true}]}`: "unknown field",
	} {
		file := filepath.Join(t.TempDir(), "edits.json")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadEdits(file); err == nil || !strings.Contains(err.Error(), words) || !strings.Contains(err.Error(), file) {
			t.Errorf("%s gives %v, want %q and the file", text, err, words)
		}
	}
	if _, err := LoadEdits("no such file"); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("a file that is not there gives %v", err)
	}
	m, _, _ := small(t)
	if err := m.SaveEdits(filepath.Join(t.TempDir(), "no", "such", "folder")); err == nil || !strings.Contains(err.Error(), "folder") {
		t.Errorf("saving where nothing can be gives %v", err)
	}
}
