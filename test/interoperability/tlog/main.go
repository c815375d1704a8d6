// Command tlog is the other side of test/tlog-interoperability.e2e-spec.ts: a log and a verifier of it that are made of
// the Go project's own packages, golang.org/x/mod/sumdb/note and golang.org/x/mod/sumdb/tlog.
//
//	tlog verify   < {"verifierKey": …, "cases": […]}   > [true, false, …]
//	tlog generate < {"name": …, "records": […], "sizes": […]} > keys, checkpoints, proofs and tiles
//
// Bytes are base 64. Checkpoints have the origin "go.sum database tree", the one that tlog.ParseTree accepts.
package main

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const tileHeight = 8

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: tlog verify|generate")
	}
	commands := map[string]func(*json.Decoder) (interface{}, error){"verify": verify, "generate": generate}
	command := commands[os.Args[1]]
	if command == nil {
		log.Fatalf("unknown command %q", os.Args[1])
	}
	answer, err := command(json.NewDecoder(os.Stdin))
	if err != nil {
		log.Fatal(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(answer); err != nil {
		log.Fatal(err)
	}
}

// A claim is one thing to be verified. What it needs depends on its kind.
type claim struct {
	Kind       string // checkpoint, inclusion, consistency, file
	Checkpoint string // the note
	Old        string // consistency: the earlier note
	Index      int64  // inclusion
	Record     []byte // inclusion and file: what was logged
	Proof      []tlog.Hash
	File       string // file: the text of a .tlog-proof
}

func verify(in *json.Decoder) (interface{}, error) {
	var question struct {
		VerifierKey string
		Cases       []claim
	}
	if err := in.Decode(&question); err != nil {
		return nil, err
	}
	verifier, err := note.NewVerifier(question.VerifierKey)
	if err != nil {
		return nil, err
	}
	answers := []bool{}
	for _, c := range question.Cases {
		answers = append(answers, c.verify(note.VerifierList(verifier)) == nil)
	}
	return answers, nil
}

func (c *claim) verify(known note.Verifiers) error {
	switch c.Kind {
	case "checkpoint":
		_, err := openTree(c.Checkpoint, known)
		return err
	case "inclusion":
		return checkInclusion(c.Checkpoint, c.Index, c.Record, c.Proof, known)
	case "consistency":
		return checkConsistency(c.Old, c.Checkpoint, c.Proof, known)
	case "file":
		return checkFile(c.File, c.Record, known)
	}
	return fmt.Errorf("unknown kind %q", c.Kind)
}

func openTree(signed string, known note.Verifiers) (tlog.Tree, error) {
	opened, err := note.Open([]byte(signed), known)
	if err != nil {
		return tlog.Tree{}, err
	}
	return tlog.ParseTree([]byte(opened.Text))
}

func checkInclusion(signed string, index int64, record []byte, proof []tlog.Hash, known note.Verifiers) error {
	tree, err := openTree(signed, known)
	if err != nil {
		return err
	}
	return tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(record))
}

func checkConsistency(old, signed string, proof []tlog.Hash, known note.Verifiers) error {
	before, err := openTree(old, known)
	if err != nil {
		return err
	}
	after, err := openTree(signed, known)
	if err != nil {
		return err
	}
	return tlog.CheckTree(proof, after.N, after.Hash, before.N, before.Hash)
}

// checkFile takes a .tlog-proof (c2sp.org/tlog-proof) apart.
func checkFile(file string, record []byte, known note.Verifiers) error {
	at := strings.Index(file, "\n\n")
	if at < 0 {
		return errors.New("no checkpoint")
	}
	lines := strings.Split(file[:at], "\n")
	if lines[0] != "c2sp.org/tlog-proof@v1" || len(lines) < 2 {
		return errors.New("not a proof")
	}
	if strings.HasPrefix(lines[1], "extra ") {
		lines = lines[1:]
	}
	if len(lines) < 2 || !strings.HasPrefix(lines[1], "index ") {
		return errors.New("no index")
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64)
	if err != nil {
		return err
	}
	var proof []tlog.Hash
	for _, line := range lines[2:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return err
		}
		proof = append(proof, hash)
	}
	return checkInclusion(file[at+2:], index, record, proof, known)
}

// A storage holds the hashes of a log in the order in which tlog stores them.
type storage []tlog.Hash

func (s storage) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		hashes[i] = s[index]
	}
	return hashes, nil
}

type inclusion struct {
	Index int64       `json:"index"`
	Size  int64       `json:"size"`
	Proof []tlog.Hash `json:"proof"`
}

type consistency struct {
	OldSize int64       `json:"oldSize"`
	NewSize int64       `json:"newSize"`
	Proof   []tlog.Hash `json:"proof"`
}

type tile struct {
	Path string `json:"path"`
	Data []byte `json:"data"`
}

type generated struct {
	SignerKey   string           `json:"signerKey"`
	VerifierKey string           `json:"verifierKey"`
	Checkpoints map[int64]string `json:"checkpoints"`
	Inclusion   []inclusion      `json:"inclusion"`
	Consistency []consistency    `json:"consistency"`
	Tiles       map[int64][]tile `json:"tiles"`
}

func generate(in *json.Decoder) (interface{}, error) {
	var question struct {
		Name    string
		Records [][]byte
		Sizes   []int64
	}
	if err := in.Decode(&question); err != nil {
		return nil, err
	}
	var hashes storage
	for i, record := range question.Records {
		added, err := tlog.StoredHashes(int64(i), record, hashes)
		if err != nil {
			return nil, err
		}
		hashes = append(hashes, added...)
	}
	signerKey, verifierKey, err := note.GenerateKey(rand.Reader, question.Name)
	if err != nil {
		return nil, err
	}
	signer, err := note.NewSigner(signerKey)
	if err != nil {
		return nil, err
	}
	answer := &generated{
		SignerKey: signerKey, VerifierKey: verifierKey,
		Checkpoints: map[int64]string{}, Tiles: map[int64][]tile{},
	}
	for _, size := range question.Sizes {
		if err := answer.add(size, question.Sizes, hashes, signer); err != nil {
			return nil, err
		}
	}
	return answer, nil
}

// add says all there is to say about the tree of one size.
func (g *generated) add(size int64, sizes []int64, hashes storage, signer note.Signer) error {
	root, err := tlog.TreeHash(size, hashes)
	if err != nil {
		return err
	}
	signed, err := note.Sign(&note.Note{Text: string(tlog.FormatTree(tlog.Tree{N: size, Hash: root}))}, signer)
	if err != nil {
		return err
	}
	g.Checkpoints[size] = string(signed)
	for index := int64(0); index < size; index++ {
		proof, err := tlog.ProveRecord(size, index, hashes)
		if err != nil {
			return err
		}
		g.Inclusion = append(g.Inclusion, inclusion{index, size, proof})
	}
	for _, old := range sizes {
		if old > size {
			continue
		}
		proof, err := tlog.ProveTree(size, old, hashes)
		if err != nil {
			return err
		}
		g.Consistency = append(g.Consistency, consistency{old, size, proof})
	}
	return g.addTiles(size, hashes)
}

func (g *generated) addTiles(size int64, hashes storage) error {
	for _, at := range tlog.NewTiles(tileHeight, 0, size) {
		data, err := tlog.ReadTileData(at, hashes)
		if err != nil {
			return err
		}
		g.Tiles[size] = append(g.Tiles[size], tile{at.Path(), data})
	}
	return nil
}
