(defn escape [cr ci]
  (setv zr 0.0
        zi 0.0)
  (for [i (range 50)]
    (setv rr (* zr zr)
          ii (* zi zi))
    (when (> (+ rr ii) 4.0)
      (return i))
    (setv [zr zi] [(+ (- rr ii) cr) (+ (* 2.0 zr zi) ci)]))
  50)

(defn row [n y]
  (setv ci (- (* 2.0 (/ y n)) 1.0)
        total 0)
  (for [x (range n)]
    (+= total (escape (- (* 3.0 (/ x n)) 2.0) ci)))
  total)

(defn setup [n] n)

(defn main [n]
  (setv total 0)
  (for [y (range n)]
    (+= total (row n y)))
  total)
