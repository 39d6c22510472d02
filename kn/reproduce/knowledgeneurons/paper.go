package knowledgeneurons

// Paper is what Dai et al. (2022) report for bert-base-cased on PARAREL. It is
// a result file like the others, so that the report's numbers can be traced.
// Shares and relative changes are plain: 0.1 stands for 10 %.
type Paper struct {
	Citation  string `json:"citation"`
	URL       string `json:"url"`
	Model     string `json:"model"`
	Data      string `json:"data"`
	Facts     int    `json:"facts"`
	Relations int    `json:"relations"`
	Prompts   int    `json:"prompts"`

	Gradients PaperMethod `json:"gradients"`
	Baseline  PaperMethod `json:"baseline"`

	Update PaperUpdate    `json:"update"`
	Erase  []PaperErasure `json:"erase"`

	SecondsAFact float64 `json:"seconds_a_fact"`
}

// PaperMethod is what the paper reports for one method's neurons.
type PaperMethod struct {
	PerFact    float64 `json:"per_fact"`
	Within     float64 `json:"within"` // shared by two facts of a relation
	Across     float64 `json:"across"`
	Suppressed float64 `json:"suppressed"`
	Amplified  float64 `json:"amplified"`
	// Mean activation in texts with subject and answer, with the subject only, and
	// in random ones.
	Activation [3]float64 `json:"activation"`
}

// PaperUpdate is what the paper reports for updating facts.
type PaperUpdate struct {
	Neurons PaperUpdated `json:"neurons"`
	Random  PaperUpdated `json:"random"`
}

// PaperUpdated is one kind of neurons'. Perplexities rise by so much.
type PaperUpdated struct {
	Changed   float64 `json:"changed"`
	Succeeded float64 `json:"succeeded"`
	Within    float64 `json:"perplexity_within"`
	Across    float64 `json:"perplexity_across"`
}

// PaperErasure is one erased relation's perplexity.
type PaperErasure struct {
	Relation string  `json:"relation"`
	Name     string  `json:"name"`
	Change   float64 `json:"change"`
	Others   float64 `json:"others"`
}

// reported are the numbers of Dai et al. (2022).
var reported = Paper{
	Citation: "Dai, Dong, Hao, Sui, Chang and Wei, Knowledge Neurons in Pretrained Transformers, ACL 2022",
	URL:      "https://aclanthology.org/2022.acl-long.581",
	Model:    "bert-base-cased", Data: "PARAREL", Facts: 27738, Relations: 34, Prompts: 253448,
	Gradients: PaperMethod{
		PerFact: 4.13, Within: 1.23, Across: 0.09, Suppressed: -0.2903, Amplified: 0.3117,
		Activation: [3]float64{0.485, 0.019, -0.018},
	},
	Baseline: PaperMethod{
		PerFact: 3.96, Within: 2.85, Across: 1.92, Suppressed: -0.0147, Amplified: -0.0127,
		Activation: [3]float64{-0.018, -0.020, -0.018},
	},
	Update: PaperUpdate{
		Neurons: PaperUpdated{Changed: 0.485, Succeeded: 0.344, Within: 8.4, Across: 7.2},
		Random:  PaperUpdated{Changed: 0.047, Succeeded: 0, Within: 10.1, Across: 4.3},
	},
	Erase: []PaperErasure{
		{Relation: "P19", Name: "place of birth", Change: 1.066, Others: 0.011},
		{Relation: "P27", Name: "country of citizenship", Change: 0.367, Others: 0.042},
		{Relation: "P106", Name: "occupation", Change: 1.282, Others: 0.043},
		{Relation: "P937", Name: "work location", Change: 1.412, Others: 0.101},
	},
	SecondsAFact: 13.3,
}
