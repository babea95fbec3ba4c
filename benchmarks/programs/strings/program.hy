(defn setup [n] n)

(defn line [i]
  f"item {i}: {(* i i)}{(if (= (% i 2) 0) " even" " odd")}")

(defn main [n]
  (setv text (.join "\n" (lfor  i (range n)  (line i))))
  f"{(len text)}{(cut text -40 None)}")
