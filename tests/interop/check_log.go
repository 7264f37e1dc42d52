// check_log holds a published ledger against Go's own transparency log packages, which nobody here wrote. It reads
// commands from standard input and answers each with a line, "ok …" or "error …":
//
//	whole ROOT VKEY             note, root from tiles, every entry's hash, inclusion, consistency with the log seen last
//	quick ROOT VKEY             the same but for the entries: some of them
//	forget                      the log seen last
//	inclusion FILE VKEY LEAF    a tlog-proof file, and the file that holds the entry
//	extension FILE VKEY OLD     a consistency proof, and the older checkpoint's note
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

type files struct{ root string }

func (f files) Height() int { return height }

func (f files) SaveTiles(tiles []tlog.Tile, data [][]byte) {}

func (f files) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, t := range tiles {
		name := "tile/" + strings.TrimPrefix(t.Path(), fmt.Sprintf("tile/%d/", height))
		data, err := os.ReadFile(filepath.Join(f.root, name))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

// open takes a note apart with Go's package; the text must be a checkpoint of the key's own origin.
func open(msg []byte, vkey string) (tlog.Tree, error) {
	var tree tlog.Tree
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return tree, err
	}
	n, err := note.Open(msg, note.VerifierList(verifier))
	if err != nil {
		return tree, err
	}
	lines := strings.Split(n.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() || lines[3] != "" {
		return tree, errors.New("not a checkpoint of this origin")
	}
	if tree.N, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
		return tree, err
	}
	tree.Hash, err = tlog.ParseHash(lines[2])
	return tree, err
}

func bundlePath(n int64, width int) string {
	t := tlog.Tile{H: height, L: 0, N: n, W: width}
	return "tile/entries/" + strings.TrimPrefix(t.Path(), fmt.Sprintf("tile/%d/0/", height))
}

func bundle(root string, tree tlog.Tree, n int64) ([][]byte, error) {
	width := 256
	if tree.N-n*256 < 256 {
		width = int(tree.N - n*256)
	}
	data, err := os.ReadFile(filepath.Join(root, bundlePath(n, width)))
	if err != nil {
		return nil, err
	}
	var leaves [][]byte
	for len(data) > 0 {
		if len(data) < 2 || len(data)-2 < int(binary.BigEndian.Uint16(data)) {
			return nil, errors.New("bundle cut short")
		}
		size := 2 + int(binary.BigEndian.Uint16(data))
		leaves = append(leaves, data[2:size])
		data = data[size:]
	}
	if len(leaves) != width {
		return nil, fmt.Errorf("bundle %d has %d entries, not %d", n, len(leaves), width)
	}
	return leaves, nil
}

func checkBundle(root string, tree tlog.Tree, hashes tlog.HashReader, n int64) error {
	leaves, err := bundle(root, tree, n)
	if err != nil {
		return err
	}
	var indexes []int64
	for i := range leaves {
		indexes = append(indexes, tlog.StoredHashIndex(0, n*256+int64(i)))
	}
	stored, err := hashes.ReadHashes(indexes)
	if err != nil {
		return err
	}
	for i, leaf := range leaves {
		if tlog.RecordHash(leaf) != stored[i] {
			return fmt.Errorf("entry %d does not have its hash", n*256+int64(i))
		}
	}
	return nil
}

func checkInclusion(root string, tree tlog.Tree, hashes tlog.HashReader, index int64) error {
	leaves, err := bundle(root, tree, index/256)
	if err != nil {
		return err
	}
	proof, err := tlog.ProveRecord(tree.N, index, hashes)
	if err != nil {
		return err
	}
	return tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(leaves[index%256]))
}

func checkGrowth(last, tree tlog.Tree, hashes tlog.HashReader) error {
	if last.N == 0 {
		return nil
	}
	if last.N > tree.N {
		return fmt.Errorf("the log had %d entries and has %d", last.N, tree.N)
	}
	proof, err := tlog.ProveTree(tree.N, last.N, hashes)
	if err != nil {
		return err
	}
	return tlog.CheckTree(proof, tree.N, tree.Hash, last.N, last.Hash)
}

var last tlog.Tree

func checkLog(root, vkey string, whole bool) (string, error) {
	msg, err := os.ReadFile(filepath.Join(root, "checkpoint"))
	if err != nil {
		return "", err
	}
	tree, err := open(msg, vkey)
	if err != nil {
		return "", err
	}
	hashes := tlog.TileHashReader(tree, files{root})
	if tree.N > 0 {
		computed, err := tlog.TreeHash(tree.N, hashes)
		if err != nil {
			return "", err
		}
		if computed != tree.Hash {
			return "", errors.New("the tiles do not give the root")
		}
		for n := int64(0); whole && n*256 < tree.N; n++ {
			if err := checkBundle(root, tree, hashes, n); err != nil {
				return "", err
			}
		}
		for _, index := range []int64{0, tree.N / 2, tree.N - 1, rand.Int63n(tree.N)} {
			if err := checkInclusion(root, tree, hashes, index); err != nil {
				return "", err
			}
		}
		if err := checkGrowth(last, tree, hashes); err != nil {
			return "", err
		}
	}
	last = tree
	return fmt.Sprintf("%d %s", tree.N, tree.Hash), nil
}

// parseProof reads "WORD NUMBER", hashes one a line, an empty line, and a note.
func parseProof(file, word string) (int64, []tlog.Hash, []byte, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return 0, nil, nil, err
	}
	head, rest, found := strings.Cut(string(data), "\n\n")
	lines := strings.Split(head, "\n")
	if !found || !strings.HasPrefix(lines[0], word+" ") {
		return 0, nil, nil, errors.New("not a proof")
	}
	number, err := strconv.ParseInt(strings.TrimPrefix(lines[0], word+" "), 10, 64)
	if err != nil {
		return 0, nil, nil, err
	}
	var hashes []tlog.Hash
	for _, line := range lines[1:] {
		b, err := base64.StdEncoding.DecodeString(line)
		if err != nil || len(b) != tlog.HashSize {
			return 0, nil, nil, errors.New("not a hash")
		}
		var h tlog.Hash
		copy(h[:], b)
		hashes = append(hashes, h)
	}
	return number, hashes, []byte(rest), nil
}

const proofLine = "c2sp.org/tlog-proof@v1\n"

func checkProof(file, vkey, leafFile string) (string, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	if !strings.HasPrefix(string(data), proofLine) {
		return "", errors.New("not a tlog-proof")
	}
	rest := file + ".rest"
	if err := os.WriteFile(rest, data[len(proofLine):], 0600); err != nil {
		return "", err
	}
	index, hashes, msg, err := parseProof(rest, "index")
	if err != nil {
		return "", err
	}
	tree, err := open(msg, vkey)
	if err != nil {
		return "", err
	}
	leaf, err := os.ReadFile(leafFile)
	if err != nil {
		return "", err
	}
	return strconv.FormatInt(index, 10), tlog.CheckRecord(hashes, tree.N, tree.Hash, index, tlog.RecordHash(leaf))
}

func checkExtension(file, vkey, oldFile string) (string, error) {
	size, hashes, msg, err := parseProof(file, "old")
	if err != nil {
		return "", err
	}
	tree, err := open(msg, vkey)
	if err != nil {
		return "", err
	}
	oldMsg, err := os.ReadFile(oldFile)
	if err != nil {
		return "", err
	}
	old, err := open(oldMsg, vkey)
	if err != nil {
		return "", err
	}
	if old.N != size {
		return "", errors.New("a proof for another tree")
	}
	return strconv.FormatInt(size, 10), tlog.CheckTree(hashes, tree.N, tree.Hash, old.N, old.Hash)
}

func obey(words []string) (string, error) {
	switch {
	case len(words) == 3 && words[0] == "whole":
		return checkLog(words[1], words[2], true)
	case len(words) == 3 && words[0] == "quick":
		return checkLog(words[1], words[2], false)
	case len(words) == 1 && words[0] == "forget":
		last = tlog.Tree{}
		return "", nil
	case len(words) == 4 && words[0] == "inclusion":
		return checkProof(words[1], words[2], words[3])
	case len(words) == 4 && words[0] == "extension":
		return checkExtension(words[1], words[2], words[3])
	}
	return "", errors.New("no such command")
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		text, err := obey(strings.Fields(lines.Text()))
		if err != nil {
			fmt.Println("error", strings.ReplaceAll(err.Error(), "\n", " "))
		} else {
			fmt.Println("ok", text)
		}
	}
}
