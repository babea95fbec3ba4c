(import json)

(defn record [i]
  {"id" i  "name" f"user {i}"  "score" (% (* i 37) 100)  "tags" ["a" "b" "c"]  "active" (= (% i 2) 1)})

(defn setup [n]
  (json.dumps (lfor  i (range n)  (record i)) :separators #("," ":")))

(defn keep [r]
  (and (get r "active") (>= (get r "score") 30)))

(defn row [r]
  [(get r "id")
   (.upper (get r "name"))
   (// (get r "score") 10)
   (len (get r "tags"))])

(defn main [text]
  (setv written (json.dumps (lfor  r (json.loads text)  :if (keep r)  (row r)) :separators #("," ":")))
  f"{(len written)}{(cut written -60 None)}")
