(defn safe [queens row column]
  (for [i (range row)]
    (setv other (get queens i))
    (when (or (= other column) (= (abs (- other column)) (- row i)))
      (return False)))
  True)

(defn place [n row queens]
  (when (= row n)
    (return 1))
  (setv ways 0)
  (for [column (range n)]
    (when (safe queens row column)
      (.append queens column)
      (+= ways (place n (+ row 1) queens))
      (.pop queens)))
  ways)

(defn setup [n] n)
(defn main [n] (place n 0 []))
