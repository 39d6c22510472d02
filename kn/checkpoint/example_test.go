package checkpoint_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
)

// A folder is opened at once; its weights are read when they are needed.
func ExampleOpenFolder() {
	folder, err := checkpoint.OpenFolder("testdata/tiny")
	if err != nil {
		fmt.Println(err)
		return
	}
	config := folder.Config()
	fmt.Println(config.Layers, "layers of", config.IntermediateSize, "neurons;", folder.Tokenizer().Size(), "tokens")

	model, err := folder.Load(context.Background(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(model.Tensors), "tensors;", model.Tensors["bert.encoder.layer.0.output.dense.weight"].Shape)
	// Output:
	// 2 layers of 12 neurons; 16 tokens
	// 42 tensors; [8 12]
}

// What is not as config.json says is named.
func ExampleWeightsError() {
	dir, err := os.MkdirTemp("", "model")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	folder, _ := checkpoint.OpenFolder("testdata/tiny")
	model := folder.MustLoad(context.Background(), nil)
	if err := model.Save(dir); err != nil {
		fmt.Println(err)
		return
	}
	delete(model.Tensors, "cls.predictions.bias")
	if err := checkpoint.WriteTensors(filepath.Join(dir, "model.safetensors"), model.Tensors, checkpoint.SaveOptions{}); err != nil {
		fmt.Println(err)
		return
	}
	folder, _ = checkpoint.OpenFolder(dir)
	_, err = folder.Load(context.Background(), nil)
	fmt.Println(err.Error()[len("checkpoint: "+dir+": "):])
	// Output:
	// model.safetensors: the weights are not those of the BertForMaskedLM in config.json: missing (1): cls.predictions.bias [16]; the head that predicts [MASK] is not stored: choose a checkpoint of BertForMaskedLM or BertForPreTraining
}

func ExampleCheckpoint_Save() {
	dir, err := os.MkdirTemp("", "model")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	folder, err := checkpoint.OpenFolder("testdata/tiny")
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := folder.MustLoad(context.Background(), nil).Save(dir); err != nil {
		fmt.Println(err)
		return
	}
	files, err := os.ReadDir(dir)
	for _, file := range files {
		fmt.Println(file.Name())
	}
	fmt.Println(err)
	// Output:
	// config.json
	// model.safetensors
	// special_tokens_map.json
	// tokenizer.json
	// tokenizer_config.json
	// vocab.txt
	// <nil>
}
