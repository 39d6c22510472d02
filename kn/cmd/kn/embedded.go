package main

// The embedded model is part of the program.
import _ "github.com/knowledge-neurons/gonb-kn/kn/mini"
